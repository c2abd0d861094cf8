"""Twilio's side: webhooks as it posts them, form-encoded and truly signed."""

from contextlib import contextmanager
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.core.management import call_command
from twilio.request_validator import RequestValidator

from core.jobs.worker import do_all
from tests.openapi import check_form
from voice.telephony.sandbox_telephony import secret

EVENTS = "/api/voice/conferenceEvents"
MINUTES_LATER = "voice.conferences.alone.see_to_who_is_alone"
"""The job that is stored with each first join, for when somebody is alone too long."""


def auth_token():
    return settings.TELEPHONY["OPTIONS"].get("auth_token") or secret("auth token")


def sign(path, params):
    validator = RequestValidator(auth_token())
    texts = {name: str(value) for name, value in params.items()}
    return validator.compute_signature(f"{settings.PUBLIC_URL}{path}", texts)


@pytest.fixture
def twilio(api):
    """Posts a signed webhook."""

    def post(path, signature=None, **params):
        if signature is None:
            check_form(path, params)
            signature = sign(path, params)
        return api.generic(
            "POST",
            path,
            urlencode(params),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signature},
        )

    return post


@pytest.fixture
def leg(twilio, group):
    """Someone's phone asks to be let in; the CallSid."""

    def leg(user, sid):
        twilio("/api/voice/makeCall", to=group.pk, From=f"client:u_{user.pk}", CallSid=sid)
        return sid

    return leg


@pytest.fixture
def tell(twilio, group):
    """Twilio tells about the group's conference."""

    def tell(number, event, call="", conference="CF1", **more):
        params = {"ConferenceSid": conference, "FriendlyName": group.pk, "SequenceNumber": number, "CallSid": call}
        answer = twilio(EVENTS, StatusCallbackEvent=event, **{**params, **more})
        assert (answer.status_code, answer.content) == (204, b"")

    return tell


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """What follows the block's commit is done at its end, and the jobs that it has stored, as a worker would."""

    @contextmanager
    def committed():
        with django_capture_on_commit_callbacks(execute=True):
            yield
        do_all()

    return committed


@pytest.fixture
def reconcile(capsys):
    """The command that is run each minute; what it says."""

    def reconcile():
        capsys.readouterr()
        call_command("reconcile_calls")
        return capsys.readouterr().out

    return reconcile


@pytest.fixture
def line(twilio_telephony, twilio_double, leg, tell):
    """Phones at Twilio, each named after whoever calls."""
    return Line(twilio_double, leg, tell)


class Line:
    def __init__(self, twilio_double, leg, tell):
        self.twilio, self.leg, self.tell = twilio_double, leg, tell
        self.sids, self.joined = {}, 0

    def call(self, user, name=None):
        """Somebody's phone is let in, and has not joined yet."""
        sid = self.twilio.call(status="in-progress")
        self.sids[name or user.display_name] = self.leg(user, sid)
        return sid

    def join(self, user, name=None):
        sid, self.joined = self.call(user, name), self.joined + 1
        self.tell(self.joined, "participant-join", sid)
        return sid

    def ended(self):
        """On whom was hung up."""
        return sorted(name for name, sid in self.sids.items() if self.twilio.calls[sid]["status"] == "completed")


@pytest.fixture
def shown(api, group):
    """Who the clients see on the call, and whether the group is on one."""

    def shown():
        names = [each["displayName"] for each in api.get(f"/api/groups/{group.pk}/callParticipants").json()]
        return names, api.get(f"/api/groups/{group.pk}/callStatus").json()["callStatus"]

    return shown
