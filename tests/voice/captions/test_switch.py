"""Turning captions on and off: for the legs that are on, and for those that come; and what Twilio refuses."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.utils import timezone

from core.jobs.models import Job
from core.jobs.worker import do_all
from groups.models import Activity
from tests.access.conftest import owner, signed_in  # noqa: F401  # fixtures
from tests.doubles.server import Answer
from tests.doubles.twilio import error
from tests.neighbours import ours
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
    return list(ours(Activity).order_by("number").values_list("activity", flat=True))


def test_it_answers_what_is_so_and_changes_only_what_is_sent(turn, sandbox_telephony):
    assert turn() == {"on": False, "language": "en-US", "ratePerMinute": "0.027", "keep": True}
    assert turn(language="de-DE", keep=False) == {**turn(), "language": "de-DE", "keep": False}
    assert turn(on=True) == {"on": True, "language": "de-DE", "ratePerMinute": "0.027", "keep": False}


@pytest.mark.parametrize(
    "wrong", [{"on": None}, {"on": "x"}, *({"language": each} for each in ("German", "x" * 36, "en-US\n")), {"a": 1}]
)
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
    assert all("#rc=" in each["StatusCallbackUrl"] for each in asked)  # told again where we were away for a moment


def test_of_a_long_name_no_more_is_hinted_than_twilio_takes(on_a_call, turn, alice, twilio_double):
    """https://www.twilio.com/docs/voice/twiml/transcription"""
    alice.display_name = "A" * 128
    alice.save()
    turn(on=True)
    hints = {each["asked"]["Hints"] for each in twilio_double.transcriptions.values()}
    assert all(len(name) <= 100 for each in hints for name in each.split(","))


def test_the_group_reads_who_turned_them_on_and_off(path, on_a_call, owner):  # noqa: F811
    for on in (True, False):
        assert owner.put(f"{path}/captions", {"on": on}).status_code == 200
    assert [(each.user.display_name, each.activity.split()[-1]) for each in ours(Activity).order_by("number")] == [
        ("Alice", "on"),
        ("Alice", "off"),
    ]


def test_where_calls_are_switched_off_captions_are_too(turn, settings):
    settings.TELEPHONY = {}
    assert turn(on=True, expected=503)["code"] == "not_configured"


def test_off_they_are_not_any_more_and_hear_so(on_a_call, turn, written_down, announced, api, path):
    turn(on=True)
    assert api.get(f"{path}/call").json()["captions"] is True
    turn(on=False)
    assert (written_down(), announced()) == ([], ["captionsOn", "captionsOff"])
    assert api.get(f"{path}/call").json()["captions"] is False
    turn(on=False)
    assert announced() == ["captionsOn", "captionsOff"]
    turn(on=True)
    assert written_down() == sorted(on_a_call.sids.values())


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


def test_who_was_told_so_by_their_twiml_begins_anew_too(on_a_call, turn, hear, written_down, dave):
    """Twilio says in which language it has begun, and nobody else knows."""
    turn(on=True)
    sid = on_a_call.join(dave)
    hear("", 1, call=sid, sid="GTb0", event="transcription-started", LanguageCode="en-US")
    assert sid not in written_down()
    turn(language="de-DE")
    assert sid in written_down()
    assert Transcription.objects.get(sid="GTb0").stopped_at


@pytest.mark.parametrize("told", [{}, {"LanguageCode": "en-US"}], ids=["no language", "the wanted one"])
def test_who_says_no_other_language_is_not_begun_anew_for_it(on_a_call, turn, hear, written_down, dave, told):
    turn(on=True)
    sid = on_a_call.join(dave)
    hear("", 1, call=sid, sid="GTb0", event="transcription-started", **told)
    turn(language="en-US")
    assert sid not in written_down()
    assert Transcription.objects.get(sid="GTb0").stopped_at is None


@pytest.mark.parametrize("status", [400, 404])
def test_what_has_ended_at_twilio_by_itself_is_stopped(on_a_call, turn, twilio_double, status):
    turn(on=True)
    turn(jobs=False, on=False)
    twilio_double.fail_next(*[error(status, 20404, "It is over.")] * 3)
    assert all(is_well for _, is_well in do_all())
    assert not Transcription.objects.filter(stopped_at=None).exists()


@pytest.mark.parametrize("event", ["transcription-started", "transcription-content"])
def test_what_begins_once_captions_are_off_is_stopped(on_a_call, turn, hear, dave, event):
    turn(on=True)
    sid = on_a_call.join(dave)
    turn(on=False)
    ours(GroupCall).update(captions_changed_at=NOON - timedelta(minutes=1))
    hear("Hello", 1, call=sid, sid="GTb0", event=event)
    do_all()
    assert Transcription.objects.get(sid="GTb0").stopped_at


def test_who_is_rung_and_has_not_answered_is_not_written_down(on_a_call, turn, written_down):
    on = written_down, sorted(on_a_call.sids.values())
    Call.objects.filter(sid=on_a_call.sids["Bob"]).update(ring_id=1, ring_answer="pressed")
    turn(on=True)
    assert written_down() == [on_a_call.sids["Alice"]]
    Call.objects.filter(sid=on_a_call.sids["Bob"]).update(ring_answer="joined")
    turn(on=False), turn(on=True)
    assert on[0]() == on[1]


def test_of_who_hangs_up_meanwhile_nobody_complains(on_a_call, turn, twilio, written_down, alice, twilio_double):
    turn(on=True, jobs=False)
    ours(GroupCall).update(captions_by=alice.pk)
    ours(Call).update(created_at=timezone.now() - timedelta(minutes=1))
    gone = on_a_call.sids["Bob"]
    twilio_double.calls[gone]["status"] = "completed"
    twilio("/api/voice/callEvents", CallSid=gone, CallStatus="completed", CallDuration="61")
    do_all()
    assert written_down() == [on_a_call.sids["Alice"]]
    assert not Transcription.objects.exclude(fault="").exists()


def test_who_has_just_been_let_in_is_asked_for_again(on_a_call, turn, twilio_double, written_down, reconcile):
    """Twilio may not take them for in progress yet."""
    twilio_double.calls[on_a_call.sids["Bob"]]["status"] = "ringing"
    turn(on=True)
    assert not Transcription.objects.exclude(fault="").exists()
    twilio_double.calls[on_a_call.sids["Bob"]]["status"] = "in-progress"
    Job.objects.filter(state="waiting").update(due_at=timezone.now())
    do_all()
    assert written_down() == sorted(on_a_call.sids.values())


def test_who_comes_later_is_told_so_and_written_down_by_their_twiml(turn, twilio, group, bob, sandbox_telephony):
    turn(on=True)
    answer = twilio("/api/voice/makeCall", to=group.pk, From=f"client:u_{bob.pk}", CallSid="CA1")
    said, start, dial = ElementTree.fromstring(answer.content)  # our own
    assert (said.tag, dial.tag) == ("Say", "Dial")
    assert said.text.startswith("Captions are on")
    assert said.get("language") == "en-US"
    (transcription,) = start
    assert (transcription.get("track"), transcription.get("partialResults")) == ("inbound_track", "true")
    assert "/api/voice/captionEvents" in transcription.get("statusCallbackUrl")


@pytest.mark.parametrize("told", [error(404, 20404, "Not found"), error(400, 21220, "Call is not in-progress.")])
def test_who_is_at_twilio_no_more_is_asked_for_once_and_turns_nothing_off(on_a_call, turn, twilio_double, told):
    ours(Call).update(created_at=timezone.now() - timedelta(minutes=1))
    turn(on=True, jobs=False)
    twilio_double.fail_next(told, told)
    assert all(is_well for _, is_well in do_all())
    assert ours(GroupCall).get().captions


@pytest.mark.parametrize("change", [{"keep": False}, {"language": "en-US"}])
def test_a_change_to_no_other_language_asks_twilio_for_nothing(on_a_call, turn, twilio_double, change):
    turn(on=True, language="en-US")
    asked = len(twilio_double.requests)
    turn(jobs=False, **change)
    assert not Job.objects.unfinished().filter(task__endswith="adjust").exists()
    assert len(twilio_double.requests) == asked


def test_they_end_with_the_call(on_a_call, turn, twilio_double):
    turn(on=True)
    on_a_call.tell(9, "conference-end")
    assert not ours(GroupCall).get().captions


def test_what_is_set_up_wrongly_is_said_once_and_turns_captions_off(on_a_call, turn, alice):
    turn(language="xx-XX")
    turn(on=True, jobs=False)
    ours(GroupCall).update(captions_by=alice.pk)
    do_all()
    assert not ours(GroupCall).get().captions
    assert sum("does not take this language" in each for each in lines()) == 1


@pytest.mark.parametrize("code", [32650, 32651, 32652])
def test_the_events_refusal_is_said_in_plain_words(talk, hear, alice, code):
    ours(GroupCall).update(captions_by=alice.pk)
    for call in ("CA1", "CA2"):
        hear("", 2, call=call, event="transcription-error", TranscriptionErrorCode=code)
    assert sum("language" in each for each in lines()) == 1
    assert not ours(GroupCall).get().captions


def test_then_everybody_hears_so_and_nobody_is_written_down_any_more(on_a_call, turn, hear, written_down, announced):
    turn(on=True)
    hear("", 2, call=on_a_call.sids["Bob"], event="transcription-error", TranscriptionErrorCode=32650)
    do_all()
    assert on_a_call.sids["Alice"] not in written_down()
    assert announced() == ["captionsOn", "captionsOff"]


def test_where_who_turned_captions_on_is_gone_nothing_is_said(on_a_call, turn, hear, run_jobs, dave):
    turn(on=True)
    ours(GroupCall).update(captions_by=dave.pk)
    dave.delete()
    said = lines()
    hear("", 2, call=on_a_call.sids["Bob"], event="transcription-error", TranscriptionErrorCode=32650)
    run_jobs()
    assert (lines(), ours(GroupCall).get().captions) == (said, False)


@pytest.mark.parametrize("code", ["32654", "x", ""])
def test_another_error_is_its_end_and_it_begins_anew(on_a_call, turn, hear, written_down, reconcile, code):
    turn(on=True)
    ours(Call).update(created_at=NOON - timedelta(minutes=1))
    hear("", 2, call=on_a_call.sids["Bob"], event="transcription-error", TranscriptionErrorCode=code)
    assert Transcription.objects.filter(stopped_at=None).count() == 1
    reconcile(), do_all()
    assert Transcription.objects.count() == 2
    ours(GroupCall).update(captions_changed_at=timezone.now() - timedelta(seconds=60))
    Transcription.objects.update(asked_at=timezone.now() - timedelta(seconds=31))
    reconcile(), do_all()
    assert ours(GroupCall).get().captions
    assert sorted(each.call.sid for each in Transcription.objects.going_on()) == sorted(on_a_call.sids.values())


def test_a_leg_that_is_not_in_progress_is_said(on_a_call, turn, twilio_double, group, alice, reconcile):
    ours(Call).update(created_at=timezone.now() - timedelta(minutes=1))
    twilio_double.calls[on_a_call.sids["Bob"]]["status"] = "completed"
    GroupCall.objects.create(group=group, captions=True, captions_by=alice.pk, captions_changed_at=timezone.now())
    turn(on=False)
    turn(on=True, jobs=False)
    ours(GroupCall).update(captions_by=alice.pk)
    do_all()
    assert Transcription.objects.filter(fault="gone").count() == 1
    assert sum("was not on the call any more" in each for each in lines()) == 1
    ours(GroupCall).update(captions_changed_at=timezone.now() - timedelta(minutes=2))
    Transcription.objects.update(asked_at=timezone.now() - timedelta(minutes=1))
    reconcile(), do_all()
    assert Transcription.objects.filter(fault="gone").count() == 1
    ours(GroupCall).update(captions_changed_at=timezone.now() - timedelta(seconds=40))
    reconcile(), do_all()
    assert Transcription.objects.filter(fault="gone").count() == 2


@pytest.fixture
def half_a_minute_later():
    def half_a_minute_later():
        Transcription.objects.update(asked_at=timezone.now() - timedelta(seconds=30))
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        do_all()

    return half_a_minute_later


def silences():
    return sum("has not begun" in each for each in lines())


def test_silence_is_said(on_a_call, turn, alice, half_a_minute_later):
    turn(on=True)
    ours(GroupCall).update(captions_by=alice.pk)
    Job.objects.filter(state="waiting").update(due_at=timezone.now())
    do_all()
    assert silences() == 0
    Transcription.objects.update(asked_at=timezone.now() - timedelta(seconds=29))
    see_whether_it_began.func(Transcription.objects.first().pk)
    assert silences() == 0
    Transcription.objects.update(asked_at=timezone.now() - timedelta(minutes=1))
    see_whether_it_began.func(Transcription.objects.first().pk)
    assert silences() == 1


def test_of_what_has_begun_or_whose_phone_is_gone_no_silence_is_said(
    on_a_call, turn, hear, twilio, alice, half_a_minute_later
):
    turn(on=True)
    ours(GroupCall).update(captions_by=alice.pk)
    hear("", 1, call=on_a_call.sids["Alice"], event="transcription-started")
    twilio("/api/voice/callEvents", CallSid=on_a_call.sids["Bob"], CallStatus="completed", CallDuration="61")
    half_a_minute_later()
    assert silences() == 0


def test_who_is_heard_after_all_is_not_silent_any_more(on_a_call, turn, hear, alice, half_a_minute_later, captions):
    turn(on=True)
    ours(GroupCall).update(captions_by=alice.pk)
    ours(Call).update(created_at=NOON - timedelta(minutes=1))
    sids = dict(Transcription.objects.values_list("call__sid", "sid"))
    half_a_minute_later()
    assert (silences(), Transcription.objects.going_on().count()) == (2, 0)
    hear("Hello.", 2, call=on_a_call.sids["Bob"], sid=sids[on_a_call.sids["Bob"]])
    assert [each["text"] for each in captions()] == ["Hello."]
    assert [each.call.sid for each in Transcription.objects.going_on()] == [on_a_call.sids["Bob"]]


@pytest.mark.usefixtures("talk")
def test_in_the_sandbox_nothing_is_silent(half_a_minute_later, alice):
    ours(GroupCall).update(captions_by=alice.pk)
    half_a_minute_later()
    assert silences() == 0


def test_a_second_one_of_the_same_leg_is_stopped(on_a_call, turn, twilio, captions, hear):
    turn(on=True)
    ours(Call).update(created_at=NOON - timedelta(minutes=1))
    hear("", 1, call=on_a_call.sids["Bob"], sid="GTb00", event="transcription-started")
    hear("twice", 2, call=on_a_call.sids["Bob"], sid="GTb00")
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
    Job.objects.all().delete()
    Call.objects.filter(sid=on_a_call.sids["Bob"]).update(is_on=False)
    reconcile(), do_all()
    assert written_down() == [on_a_call.sids["Alice"]]
    ours(Call).update(is_on=True)
    reconcile(), do_all()
    assert written_down() == sorted(on_a_call.sids.values())
    turn(on=False, jobs=False)
    Job.objects.all().delete()
    reconcile(), do_all()
    assert written_down() == []


def test_a_leg_of_which_only_events_tell_is_not_written_down(on_a_call, turn, twilio_double, written_down, reconcile):
    """Nobody pays for it."""
    on_a_call.tell(9, "participant-join", twilio_double.call(status="in-progress"))
    turn(on=True)
    Transcription.objects.update(asked_at=timezone.now() - timedelta(minutes=1))
    reconcile(), do_all()
    assert written_down() == sorted(on_a_call.sids.values())


@pytest.mark.parametrize("end", ["are off", "are refused"])
def test_once_captions_are_off_nothing_is_looked_for_any_more(on_a_call, turn, reconcile, run_jobs, end):
    if end == "are refused":
        turn(language="xx-XX")
    turn(on=True)
    turn(on=False)
    reconcile()
    assert "adjust" not in run_jobs()


def test_a_group_is_written_down_in_its_language_unless_it_has_another_for_captions(turn, group, sandbox_telephony):
    rules = GroupCall.objects.create(group=group, language="de-DE")
    assert turn()["language"] == "de-DE"
    GroupCall.objects.filter(pk=rules.pk).update(captions_language="en-GB")
    assert turn()["language"] == "en-GB"
