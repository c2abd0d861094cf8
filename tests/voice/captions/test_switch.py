"""Turning captions on and off: for the legs that are on, and for those that come; and what Twilio refuses."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.utils import timezone

from core.jobs.worker import do_all
from groups.models import Activity
from tests.doubles.server import Answer
from tests.voice.captions.conftest import NOON
from voice.captions.legs import see_whether_it_began
from voice.models import Call, GroupCall, Transcription


@pytest.fixture
def on_a_call(line, twilio_double, alice, bob):
    twilio_double.conferences["CF1"] = {"sid": "CF1", "status": "in-progress"}
    line.join(alice)
    line.join(bob)
    do_all()
    return line


@pytest.fixture
def written_down(twilio_double):
    """The calls whose words Twilio writes down at this moment."""
    return lambda: sorted(
        each["call_sid"] for each in twilio_double.transcriptions.values() if each["status"] == "in-progress"
    )


@pytest.fixture
def announced(twilio_double):
    return lambda: [url.partition("say=")[2].partition("&")[0] for _, url in twilio_double.announced]


def lines():
    return list(Activity.objects.order_by("number").values_list("activity", flat=True))


def test_it_answers_what_is_so_and_changes_only_what_is_sent(turn, sandbox_telephony):
    assert turn() == {"on": False, "language": "en-US", "ratePerMinute": "0.027", "keep": True}
    assert turn(language="de-DE", keep=False) == {**turn(), "language": "de-DE", "keep": False}
    assert turn(on=True) == {"on": True, "language": "de-DE", "ratePerMinute": "0.027", "keep": False}


@pytest.mark.parametrize("wrong", [{"on": None}, {"on": "x"}, {"language": "German"}, {"language": "x" * 36}, {"a": 1}])
def test_what_cannot_be_is_400(turn, wrong, sandbox_telephony):
    turn(**wrong, expected=400)


def test_all_who_are_on_are_written_down_once_and_hear_so(on_a_call, turn, written_down, announced, twilio_double):
    turn(on=True)
    turn(on=True)
    assert written_down() == sorted(on_a_call.sids.values())
    assert announced() == ["captionsOn"]
    asked = [each["asked"] for each in twilio_double.transcriptions.values()]
    assert {each["Track"] for each in asked} == {"inbound_track"}
    assert {(each["PartialResults"], each["ProfanityFilter"], each["LanguageCode"]) for each in asked} == {
        ("true", "false", "en-US")
    }
    assert {each["Hints"] for each in asked} == {"Alice,Bob"}


def test_off_they_are_not_any_more_and_hear_so(on_a_call, turn, written_down, announced, api, path):
    turn(on=True)
    assert api.get(f"{path}/call").json()["captions"] is True
    turn(on=False)
    assert (written_down(), announced()) == ([], ["captionsOn", "captionsOff"])
    assert api.get(f"{path}/call").json()["captions"] is False


def test_on_and_off_and_on_comes_to_what_was_wanted_last(on_a_call, turn, written_down):
    turn(on=True)
    for on in (False, True, False, True):
        turn(on=on, jobs=False)
    do_all()
    assert written_down() == sorted(on_a_call.sids.values())


def test_another_language_begins_anew(on_a_call, turn, written_down, twilio_double):
    turn(on=True)
    turn(language="de-DE")
    assert len(written_down()) == 2
    running = [each for each in twilio_double.transcriptions.values() if each["status"] == "in-progress"]
    assert {each["asked"]["LanguageCode"] for each in running} == {"de-DE"}


def test_who_comes_later_is_told_so_and_written_down_by_their_twiml(turn, twilio, group, bob, sandbox_telephony):
    turn(on=True)
    answer = twilio("/api/voice/makeCall", to=group.pk, From=f"client:u_{bob.pk}", CallSid="CA1")
    said, start, dial = ElementTree.fromstring(answer.content)  # our own
    assert (said.tag, dial.tag) == ("Say", "Dial")
    assert said.text.startswith("Captions are on")
    (transcription,) = start
    assert (transcription.get("track"), transcription.get("partialResults")) == ("inbound_track", "true")
    assert "/api/voice/captionEvents" in transcription.get("statusCallbackUrl")


def test_they_end_with_the_call(on_a_call, turn, twilio_double):
    turn(on=True)
    on_a_call.tell(9, "conference-end")
    assert not GroupCall.objects.get().captions


def test_what_is_set_up_wrongly_is_said_once_and_turns_captions_off(on_a_call, turn, alice):
    turn(language="xx-XX")
    turn(on=True, jobs=False)
    GroupCall.objects.update(captions_by=alice.pk)
    do_all()
    assert not GroupCall.objects.get().captions
    assert sum("does not take this language" in each for each in lines()) == 1


def test_the_events_refusal_is_said_in_plain_words(talk, hear, alice):
    GroupCall.objects.update(captions_by=alice.pk)
    hear("", 2, event="transcription-error", TranscriptionErrorCode=32650, TranscriptionError="Bad engine")
    assert [each for each in lines() if "language" in each]
    assert not GroupCall.objects.get().captions


def test_a_leg_that_is_not_in_progress_is_said(on_a_call, turn, twilio_double, group, alice):
    Call.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    twilio_double.calls[on_a_call.sids["Bob"]]["status"] = "completed"
    GroupCall.objects.create(group=group, captions=True, captions_by=alice.pk, captions_changed_at=timezone.now())
    turn(on=False)
    turn(on=True, jobs=False)
    GroupCall.objects.update(captions_by=alice.pk)
    do_all()
    assert Transcription.objects.filter(fault="gone").count() == 1
    assert sum("was not on the call any more" in each for each in lines()) == 1


def test_silence_is_said(on_a_call, turn, alice):
    turn(on=True)
    GroupCall.objects.update(captions_by=alice.pk)
    Transcription.objects.update(asked_at=timezone.now() - timedelta(minutes=1))
    for row in Transcription.objects.all():
        see_whether_it_began.func(row.pk)
    assert sum("has not begun" in each for each in lines()) == 2


def test_a_second_one_of_the_same_leg_is_stopped(on_a_call, turn, twilio, captions, hear):
    turn(on=True)
    Call.objects.update(created_at=NOON - timedelta(minutes=1))
    hear("twice", 1, call=on_a_call.sids["Bob"], sid="GTb00")
    do_all()
    assert captions() == []
    assert Transcription.objects.get(sid="GTb00").stopped_at
    assert Transcription.objects.going_on().count() == 2


def test_where_twilio_does_not_answer_it_is_tried_again(on_a_call, turn, twilio_double, written_down, reconcile):
    twilio_double.fail_next(*[Answer(503, {})] * 6)
    turn(on=True, jobs=False)
    do_all()
    twilio_double.faults.clear()
    assert written_down() == []
    reconcile()
    do_all()
    assert written_down() == sorted(on_a_call.sids.values())
