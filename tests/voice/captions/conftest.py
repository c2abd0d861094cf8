"""A call that is written down, as Twilio tells it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from core.jobs.worker import do_all
from tests.neighbours import ours
from voice.models import Call, Transcription

EVENTS = "/api/voice/captionEvents"
NOON = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=30)


def sid_of(call):
    """By which Twilio writes the call down: as it answered, or, where it was told so in TwiML, as it has called it."""
    row = Transcription.objects.going_on().filter(call__sid=call).first()
    return row.sid if row else f"GT{call[2:]}"


@pytest.fixture
def path(group):
    return f"/api/groups/{group.pk}"


@pytest.fixture
def captions(api, path):
    """What has been said, the oldest first, as the GET shows it."""
    return lambda: api.get(f"{path}/captions").json()[::-1]


@pytest.fixture
def turn(api, path):
    """Sets captions; the answer."""

    def turn(jobs=True, expected=200, **changes):
        answer = api.put(f"{path}/captions", changes, format="json")
        assert answer.status_code == expected, answer.content
        if jobs:
            do_all()
        return answer.json()

    return turn


@pytest.fixture
def hear(twilio):
    """Twilio tells that somebody speaks. Its times are seconds from one moment."""

    def hear(text, number, *, call="CA1", sid="", final=True, at=None, event="transcription-content", **more):
        told = {
            "TranscriptionSid": sid or sid_of(call),
            "TranscriptionEvent": event,
            "CallSid": call,
            "AccountSid": "AC1",
            "SequenceId": number,
            "Timestamp": f"{NOON + timedelta(seconds=number if at is None else at):%Y-%m-%dT%H:%M:%S.%fZ}",
        }
        if event == "transcription-content":
            told |= {"Track": "inbound_track", "LanguageCode": "en-US", "Final": str(final).lower()}
            told |= {"TranscriptionData": json.dumps({"transcript": text, "confidence": 0.9})}
        answer = twilio(EVENTS, **{**told, **more})
        assert (answer.status_code, answer.content) == (204, b"")

    return hear


@pytest.fixture
def talk(leg, tell, turn, alice, bob):
    """Alice and Bob are on a call, and captions are on."""
    for number, (user, sid) in enumerate(((alice, "CA1"), (bob, "CA2")), 1):
        leg(user, sid)
        tell(number, "participant-join", sid)
    ours(Call).update(created_at=NOON - timedelta(minutes=1))
    turn(on=True)
