"""What Twilio tells of captions: stored once, in the order in which it was said, whatever order it comes in."""

import json
from contextlib import contextmanager
from datetime import timedelta
from itertools import combinations

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from core.wire import stamp
from groups.models import Caption, CaptionCount, PartialCaption
from tests.neighbours import ours
from tests.voice.captions.conftest import EVENTS, NOON, sid_of
from users.models import User
from voice.captions.events import receive_caption_event
from voice.models import Call, GroupCall, Transcription

SIX = (
    ("Hello, Bob.", 2, "CA1", True),
    ("How are", 4, "CA1", False),
    ("How are you?", 5, "CA1", True),
    ("Fine, thanks", 3, "CA2", False),
    ("Fine, thanks.", 6, "CA2", True),
    ("Good", 7, "CA1", False),
)


def said(rows):
    return [(each["displayName"], each["text"], each["createdAt"]) for each in rows]


def at(number):
    return f"{NOON + timedelta(seconds=number):%Y-%m-%dT%H:%M:%S}.000Z"


ALL = [("Alice", "Hello, Bob.", at(2)), ("Alice", "How are you?", at(5)), ("Bob", "Fine, thanks.", at(6))]


def forget():
    for model in (Caption, PartialCaption, Transcription):
        model.objects.all().delete()


def being_said():
    rows = PartialCaption.objects.exclude(text="").order_by("pk")
    return [(each.display_name, each.text) for each in rows]


def tell_one(text, number, call, final):
    told = {"TranscriptionSid": sid_of(call), "TranscriptionEvent": "transcription-content", "CallSid": call}
    data = {"TranscriptionData": json.dumps({"transcript": text}), "Final": str(final).lower(), "Timestamp": at(number)}
    receive_caption_event({**told, **data, "SequenceId": str(number)}, now=timezone.now())


def state():
    """All of which anything follows. A row that says nothing is as none: no older words come after its final ones."""
    captions = ours(Caption).order_by("created_at", "pk")
    times = Transcription.objects.order_by("sid").values_list("sid", "started_at", "last_final")
    return (
        [(each.display_name, each.text, stamp(each.created_at), each.sequence_id) for each in captions],
        being_said(),
        list(times),
    )


@contextmanager
def having_told(events):
    with transaction.atomic():
        for each in events:
            tell_one(*each)
        yield
        transaction.set_rollback(True)


@pytest.mark.usefixtures("talk")
def test_every_order_of_a_conversation_with_any_repeats_gives_the_same_captions():
    """By induction over the 64 parts of it: from what a part leaves, each other event leads to what the larger part
    leaves, and each of its own, told again, to the same. So all 720 orders, with whatever repeats, end alike."""
    left, parts = {}, [part for many in range(7) for part in combinations(SIX, many)]
    for part in parts:
        with having_told(part):
            left[frozenset(part)] = state()
    for part in parts:
        with having_told(part):
            for each in SIX:
                with having_told([each]):
                    assert state() == left[frozenset({*part, each})], (part, each)
    assert [each[:3] for each in left[frozenset(SIX)][0]] == ALL


@pytest.mark.alone
@pytest.mark.usefixtures("talk")
def test_so_it_is_through_the_door(captions, hear):
    for order in (SIX, SIX[::-1]):
        for text, number, call, final in (*order, *order[::2], *order[1::2]):
            hear(text, number, call=call, final=final)
        assert (said(captions()), being_said()) == (ALL, [("Alice", "Good")])
        forget()


@pytest.mark.usefixtures("talk")
def test_a_caption_says_who_said_what_and_when(captions, hear, alice):
    hear("Hello.", 2)
    (caption,) = captions()
    assert caption == {
        "id": caption["id"],
        "userId": alice.pk,
        "displayName": "Alice",
        "text": "Hello.",
        "language": "en-US",
        "createdAt": at(2),
        "typed": False,
        "spoken": None,
        "why": None,
    }


@pytest.mark.usefixtures("talk")
def test_the_order_of_one_person_is_that_of_the_numbers_whatever_the_clocks_say(captions, hear):
    hear("three", 3, at=1)
    hear("one", 1, at=5)
    hear("two", 2, at=9)
    assert [each["text"] for each in captions()] == ["one", "two", "three"]
    assert [each["createdAt"] for each in captions()] == sorted({each["createdAt"] for each in captions()})


@pytest.mark.usefixtures("talk")
def test_nor_a_little_in_the_future_where_twilios_clock_is_ahead(captions, hear):
    hear("soon", 1, Timestamp=stamp(timezone.now() + timedelta(seconds=60)))
    assert captions()[0]["createdAt"] <= stamp(timezone.now())


@pytest.mark.usefixtures("talk")
def test_no_time_is_in_the_future_or_before_the_call(captions, hear):
    hear("later", 1, at=3600)
    hear("long ago", 2, at=-9999)
    hear("whenever", 3, Timestamp="yesterday")
    now = at(3600)
    assert all(at(0) < each["createdAt"] < now for each in captions())
    assert [each["text"] for each in captions()] == ["later", "long ago", "whenever"]


@pytest.mark.alone
@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize(
    "data",
    [
        *("", "no JSON", "[]", "7", "null", '{"transcript": 7}', '{"transcript": null}', '{"x": "y"}', "[" * 100_000),
        *('{"transcript": ""}', '{"transcript": " \\u0000 "}', '{"transcript": "\\u200b"}', "9" * 5000),
    ],
)
def test_what_is_no_transcript_changes_nothing(captions, hear, data):
    hear("", 1, TranscriptionData=data)
    hear("", 2, TranscriptionData=data, Final="false")
    assert (captions(), being_said()) == ([], [])


@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("\u202eשלום\u202c", "\u202eשלום\u202c"),
        ("a\x00b\ud800c", "ab?c"),
        ("x" * 1_000_000, "x" * 4000),
        ("👩\u200d👧 née e\u0301", "👩\u200d👧 née e\u0301"),
    ],
)
def test_whatever_is_said_is_plain_text(captions, hear, text, shown):
    hear(text, 1)
    assert [each["text"] for each in captions()] == [shown]


@pytest.mark.usefixtures("talk")
def test_the_other_track_and_what_has_no_number_are_nobodys_words(captions, hear):
    hear("the mix", 1, Track="outbound_track")
    hear("no number", "x", at=1)
    hear("below", -1)
    assert captions() == []


@pytest.mark.usefixtures("talk")
def test_unknown_calls_and_kinds_are_left_aside(captions, hear, twilio):
    before = Transcription.objects.count()
    twilio("/api/voice/callEvents", CallSid="CA8", CallStatus="completed")
    hear("whose?", 1, call="CA8")
    hear("who?", 1, call="CA9")
    hear("what?", 1, event="transcription-danced")
    hear("where?", 1, sid="<script>")
    assert (captions(), Transcription.objects.count()) == ([], before)


@pytest.mark.parametrize("signature", ["", "c2lnbmVkIGJ5IG5vYm9keQ=="])
def test_what_twilio_has_not_signed_is_refused(talk, twilio, sign_in, signature):
    assert twilio(EVENTS, signature=signature, TranscriptionEvent="transcription-content").status_code == 403


@pytest.mark.alone
@pytest.mark.usefixtures("talk")
def test_no_partial_comes_after_its_final_words_and_the_newest_wins(hear):
    hear("How", 2, final=False)
    hear("How are you", 4, final=False)
    hear("How are", 3, final=False)
    assert being_said() == [("Alice", "How are you")]
    hear("How are you?", 5)
    hear("How are y", 4, final=False)
    hear("What", 7, final=False)
    hear("What now?", 9)
    hear("What no", 8, final=False)
    assert being_said() == []


@pytest.mark.alone
@pytest.mark.usefixtures("talk")
def test_what_was_not_understood_in_the_end_is_being_said_no_longer(captions, hear):
    hear("Hel", 1, final=False)
    hear("", 3)
    hear("Hello", 2, final=False)
    assert (being_said(), captions()) == ([], [])


@pytest.mark.alone
@pytest.mark.usefixtures("talk")
def test_with_its_end_nothing_is_being_said_and_the_first_end_counts(hear):
    hear("Hel", 1, final=False)
    hear("Good", 1, call="CA2", final=False)
    sid = sid_of("CA1")
    for second in (9, 8, 11):
        hear("", 2, sid=sid, event="transcription-stopped", at=second)
    assert being_said() == [("Bob", "Good")]
    ends = Transcription.objects.order_by("call__sid").values_list("stopped_at", flat=True)
    assert list(ends) == [NOON + timedelta(seconds=8), None]


@pytest.mark.alone
@pytest.mark.usefixtures("talk")
def test_what_nobody_has_finished_saying_for_two_minutes_goes(hear, reconcile):
    hear("Hel", 1, final=False)
    hear("Good", 1, call="CA2", final=False)
    for text, seconds in (("Hel", 121), ("Good", 100)):
        PartialCaption.objects.filter(text=text).update(created_at=timezone.now() - timedelta(seconds=seconds))
    reconcile()
    assert being_said() == [("Bob", "Good")]
    told = ours(CaptionCount).get().last_partial
    reconcile()
    assert ours(CaptionCount).get().last_partial == told  # what is empty already is not told again


@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize(("told", "language"), [("de-DE", "de-DE"), ("<b>", "en-US"), ("", "en-US")])
def test_its_language_is_as_told_where_it_is_one(captions, hear, told, language):
    hear("Hello.", 1, LanguageCode=told)
    longest = "abc-12345678-12345678-12345678-1234"
    hear("long", 2, LanguageCode=longest)
    hear("too long", 3, LanguageCode=f"{longest}5")
    assert [each["language"] for each in captions()] == [language, longest, "en-US"]


@pytest.mark.usefixtures("talk")
def test_unknown_callers_have_numbers_that_stay(captions, hear, turn, twilio, tell, group):
    for place, number in enumerate(("+12025550150", "+12025550151"), 3):
        twilio("/api/voice/makeCall", to=group.pk, CallSid=f"CA{place}", From=number, To="+15005550006")
        tell(place, "participant-join", f"CA{place}")
    ours(Call).update(created_at=NOON - timedelta(minutes=1))
    hear("first to speak", 1, call="CA4")
    hear("second", 2, call="CA3")
    turn(on=False)
    turn(on=True)
    hear("again", 3, call="CA4")
    assert [(each["userId"], each["displayName"]) for each in captions()] == [
        (None, "Caller 1"),
        (None, "Caller 2"),
        (None, "Caller 1"),
    ]


@pytest.mark.usefixtures("talk")
def test_on_two_conferences_at_once_no_two_callers_have_one_number(captions, hear, turn, twilio, tell, group):
    for place, conference in ((3, "CF1"), (4, "CF2")):
        caller = {"From": f"+1202555015{place}", "To": "+15005550006"}
        twilio("/api/voice/makeCall", to=group.pk, CallSid=f"CA{place}", **caller)
        tell(place, "participant-join", f"CA{place}", conference=conference)
    turn(on=False)
    turn(on=True)
    ours(Call).update(created_at=NOON - timedelta(minutes=1))
    for place in (3, 4):
        hear("Hello.", place, call=f"CA{place}")
    assert [each["displayName"] for each in captions()] == ["Caller 1", "Caller 2"]


@pytest.mark.usefixtures("talk")
def test_what_is_said_after_captions_are_off_is_nobodys(captions, hear, turn):
    turn(on=False)
    ours(GroupCall).update(captions_changed_at=NOON + timedelta(seconds=10))
    hear("told late", 1, at=15)
    hear("too late", 2, at=15.001)
    assert [each["text"] for each in captions()] == ["told late"]


@pytest.mark.usefixtures("talk")
def test_what_was_said_before_the_calls_end_and_is_told_after_it_is_kept(captions, hear, tell):
    ours(GroupCall).update(captions_changed_at=NOON - timedelta(minutes=1))
    for number, sid in enumerate(("CA1", "CA2"), 3):
        tell(number, "participant-leave", sid)
    assert not ours(GroupCall).get().captions
    hear("told late", 1)
    assert [each["text"] for each in captions()] == ["told late"]


@pytest.mark.usefixtures("talk")
def test_nothing_more_is_kept_of_who_is_gone(captions, hear, bob):
    hear("kept", 1, call="CA2")
    User.objects.get(pk=bob.pk).delete()
    hear("not any more", 2, call="CA2")
    hear("kept", 1, call="CA2")
    assert (captions(), ours(Caption).count()) == ([], 0)


@pytest.mark.usefixtures("talk")
def test_where_nothing_is_kept_it_is_told_and_its_words_go(captions, hear, turn, reconcile):
    turn(keep=False)
    hear("between us", 1)
    assert (captions(), ours(Caption).get().text) == ([], "between us")
    reconcile()
    assert ours(Caption).get().text == "between us"
    ours(Caption).update(stored_at=NOON - timedelta(minutes=2))
    reconcile()
    hear("between us", 1)
    assert ours(Caption).values_list("text", "display_name", "user").get() == ("", "", None)


@pytest.mark.usefixtures("talk")
def test_no_days_are_no_captions(captions, hear, settings):
    settings.CAPTION_DAYS = 0
    hear("between us", 1)
    assert captions() == []


@pytest.mark.usefixtures("talk")
def test_a_list_pages_newest_first_in_one_query(api, path, hear, settings, django_assert_num_queries):
    for number in range(1, 6):
        hear(str(number), number)
    with django_assert_num_queries(1):
        page = api.get(f"{path}/captions?limit=2")
    assert [each["text"] for each in page.json()] == ["5", "4"]
    rest = api.get(
        page["Link"].partition("<")[2].partition(">")[0].partition("//")[2].partition("/")[2].join(("/", ""))
    )
    assert [each["text"] for each in rest.json()] == ["3", "2"]


@pytest.mark.usefixtures("talk")
def test_what_cannot_be_stored_is_told_again(twilio):
    params = {"TranscriptionSid": "GT1", "CallSid": "CA1", "TranscriptionEvent": "transcription-content"}

    def away(*args, **kwargs):
        raise OperationalError("the database is away")

    with connection.execute_wrapper(away):
        answer = twilio(EVENTS, **params, TranscriptionData=json.dumps({"transcript": "x"}), SequenceId=1)
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
