"""What people type is spoken into the call, one after another, and never lost without a word."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.utils import timezone

from core.jobs.models import Job
from core.jobs.worker import do_all
from groups.models import Caption
from tests.doubles.server import Fault
from tests.neighbours import ours
from voice.captions.messages import CALL_OVER, NOT_ANSWERED, NOT_TAKEN, settle
from voice.models import Conference


@pytest.fixture
def type_in(api, path):
    def type_in(text, expected=201, jobs=True, **more):
        answer = api.post(f"{path}/spokenMessages", {"text": text, **more}, format="json")
        assert answer.status_code == expected, answer.content
        if jobs:
            do_all()
        return answer.json()

    return type_in


@pytest.fixture
def on_a_call(line, twilio_double, alice, bob):
    twilio_double.conferences["CF1"] = {"sid": "CF1", "status": "in-progress"}
    line.join(alice)
    line.join(bob)
    do_all()
    return line


@pytest.fixture
def asked(twilio_double):
    """The addresses that Twilio was to speak, of messages."""
    return lambda: [url for _, url in twilio_double.announced if "message=" in url]


@pytest.fixture
def fetch(twilio):
    def fetch(url):
        answer = twilio(url.removeprefix(settings.PUBLIC_URL), CallSid="")
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
        return [
            (each.get("language"), each.text) for each in ElementTree.fromstring(answer.content) if each.tag == "Say"
        ]

    return fetch


def states(captions):
    return [(each["text"], each["spoken"], each["why"]) for each in captions()]


@pytest.mark.usefixtures("sandbox_telephony")
def test_nobody_on_the_call_is_409(type_in):
    assert type_in("Hello", expected=409)["code"] == "no_call"


@pytest.mark.parametrize("wrong", [{"text": ""}, {"text": " "}, {"text": "x" * 301}, {"text": "x", "language": "???"}])
def test_what_cannot_be_is_400(on_a_call, api, path, wrong):
    assert api.post(f"{path}/spokenMessages", wrong, format="json").status_code == 400


def test_it_waits_is_fetched_and_is_spoken(on_a_call, type_in, asked, fetch, captions):
    made = type_in("Hello <b>all</b>")
    assert (made["typed"], made["spoken"], made["why"]) == (True, "waiting", None)
    (url,) = asked()
    assert fetch(url) == [("en-US", "Somebody writes:"), ("en-US", "Hello <b>all</b>")]
    on_a_call.tell(5, "announcement-end", AnnounceUrl=url)
    assert states(captions) == [("Hello <b>all</b>", "spoken", None)]
    on_a_call.tell(6, "announcement-fail", AnnounceUrl=url)
    assert states(captions) == [("Hello <b>all</b>", "spoken", None)]


def test_what_twilio_could_not_speak_was_not_spoken(on_a_call, type_in, asked, captions):
    type_in("Hello")
    on_a_call.tell(5, "announcement-fail", AnnounceUrl=asked()[0])
    assert [(each["text"], each["spoken"]) for each in captions()] == [("Hello", "notSpoken")]


@pytest.mark.usefixtures("talk")
def test_what_somebody_said_aloud_is_not_spoken_as_if_it_were_typed(hear, fetch):
    hear("Hello.", 1)
    said = Caption.objects.get(text="Hello.")
    assert fetch(f"{settings.PUBLIC_URL}/api/voice/announcement?message={said.pk}") == []


def test_the_next_waits_until_the_one_before_was_spoken(on_a_call, type_in, asked, captions):
    for text in ("one", "two", "three"):
        type_in(text)
    assert len(asked()) == 1
    on_a_call.tell(5, "announcement-end", AnnounceUrl=asked()[0])
    do_all()
    assert len(asked()) == 2
    assert asked()[1].endswith(f"message={captions()[1]['id']}")
    assert [each["spoken"] for each in captions()] == ["spoken", "waiting", "waiting"]


def test_where_all_have_left_nobody_would_hear_it(on_a_call, type_in):
    for number, sid in enumerate(on_a_call.sids.values(), 3):
        on_a_call.tell(number, "participant-leave", sid)
    assert type_in("Hello", expected=409)["code"] == "no_call"


def test_nor_on_a_call_that_we_take_to_have_ended(on_a_call, type_in):
    ours(Conference).update(ended_at=timezone.now())
    assert type_in("Hello", expected=409)["code"] == "no_call"


def test_where_calls_are_switched_off_it_says_what_is_missing(on_a_call, type_in, settings):
    settings.TELEPHONY = {}
    assert type_in("Hello", expected=503)["code"] == "not_configured"


def test_in_the_sandbox_it_is_spoken_at_once(type_in, captions, leg, tell, alice, run_jobs):
    tell(1, "participant-join", leg(alice, "CA1"))
    type_in("Hello", jobs=False)
    run_jobs()  # who looks for the next finds none, and that is no fault
    assert states(captions) == [("Hello", "spoken", None)]


@pytest.mark.parametrize(
    ("language", "voice", "named_in"),
    [
        ("de-DE", "de-DE", "de-DE"),
        ("de-AT", "de-DE", "de-DE"),
        ("fr-FR", "fr-FR", "en-US"),
        ("pl-PL", "pl-PL", "en-US"),
        ("cs-CZ", "en-US", "en-US"),
    ],
)
def test_it_is_spoken_in_the_language_that_it_says(on_a_call, type_in, asked, fetch, language, voice, named_in):
    type_in("Hello", language=language)
    writes = {"de-DE": "Jemand schreibt:", "en-US": "Somebody writes:"}[named_in]
    assert fetch(asked()[0]) == [(voice, writes), (voice, "Hello")]


def test_where_it_says_none_it_is_spoken_in_the_language_of_the_groups_captions(on_a_call, type_in, turn):
    turn(language="de-DE")
    assert type_in("Hallo")["language"] == "de-DE"


@pytest.mark.parametrize("days", [0, 30])
def test_it_is_kept_where_captions_are(on_a_call, type_in, turn, captions, settings, days):
    settings.CAPTION_DAYS = days
    type_in("first")
    turn(keep=False)
    type_in("second")
    assert [each["text"] for each in captions()] == (["first"] if days else [])


def test_where_a_job_was_lost_it_is_made_up_for_each_minute(on_a_call, type_in, asked, captions, reconcile):
    now = timezone.now()
    type_in("lost")
    Job.objects.all().delete()
    type_in("new", jobs=False)
    Job.objects.all().delete()
    reconcile(), do_all()
    assert [each["spoken"] for each in captions()] == ["waiting", "waiting"]
    Caption.objects.filter(text="lost").update(asked_at=now - timedelta(seconds=91))
    reconcile(), do_all()
    assert states(captions) == [("lost", "notSpoken", NOT_TAKEN), ("new", "waiting", None)]
    assert len(asked()) == 2


def test_also_where_nobody_was_asked_yet(on_a_call, type_in, asked, reconcile):
    type_in("lost", jobs=False)
    Job.objects.all().delete()
    reconcile(), do_all()
    assert asked() == []
    ours(Caption).update(stored_at=timezone.now() - timedelta(seconds=61))
    reconcile(), do_all()
    assert len(asked()) == 1


def test_after_half_a_minute_the_next_one_has_its_turn(on_a_call, type_in, asked, captions):
    for text in ("one", "two"):
        type_in(text)
    Job.objects.update(due_at=timezone.now())
    do_all()
    assert states(captions) == [("one", "notSpoken", NOT_TAKEN), ("two", "waiting", None)]
    assert len(asked()) == 2


def test_it_is_spoken_where_one_of_two_conferences_goes_on(on_a_call, type_in, captions, asked, dave, twilio_double):
    twilio_double.conferences["CF0"] = {"sid": "CF0", "status": "completed"}
    on_a_call.tell(1, "participant-join", on_a_call.call(dave), conference="CF0")
    type_in("Hello")
    assert (states(captions), len(asked())) == ([("Hello", "waiting", None)], 1)


def test_it_is_spoken_on_each_of_two_conferences(on_a_call, type_in, asked, fetch, captions, dave, twilio_double):
    twilio_double.conferences["CF0"] = {"sid": "CF0", "status": "in-progress"}
    on_a_call.tell(1, "participant-join", on_a_call.call(dave), conference="CF0")
    type_in("Hello")
    assert len(asked()) == 2
    words = fetch(asked()[0])
    Caption.objects.filter(text="Hello").update(asked_at=timezone.now() - timedelta(seconds=31))
    settle.func(Caption.objects.get(text="Hello").pk)
    assert states(captions) == [("Hello", "spoken", None)]
    assert fetch(asked()[1]) == words != []


def test_it_waits_for_half_a_minute_at_most(on_a_call, type_in, asked, fetch, captions):
    for text in ("fetched", "not fetched"):
        type_in(text)
    fetch(asked()[0])
    for text in ("fetched", "not fetched"):
        Caption.objects.filter(text=text).update(asked_at=timezone.now() - timedelta(seconds=31))
        settle.func(Caption.objects.get(text=text).pk)
    assert states(captions) == [("fetched", "spoken", None), ("not fetched", "notSpoken", NOT_TAKEN)]


def test_what_twilio_refuses_or_does_not_answer_is_said(on_a_call, type_in, captions, twilio_double):
    for conference in twilio_double.conferences.values():
        conference["status"] = "completed"
    type_in("one")
    twilio_double.fail_next(Fault.SERVER_ERROR)
    type_in("two")
    assert states(captions) == [
        ("one", "notSpoken", CALL_OVER),
        ("two", "notSpoken", NOT_ANSWERED),
    ]


@pytest.mark.parametrize("faults", [[None, Fault.SERVER_ERROR], [Fault.SERVER_ERROR, None]], ids=["second", "first"])
def test_what_one_of_two_conferences_hears_is_not_to_be_sent_again(
    on_a_call, type_in, captions, asked, twilio_double, dave, faults
):
    twilio_double.conferences["CF2"] = {"sid": "CF2", "status": "in-progress"}
    on_a_call.tell(1, "participant-join", on_a_call.call(dave), conference="CF2")
    do_all()
    twilio_double.fail_next(*faults)
    type_in("Hello")
    assert (states(captions), len(asked())) == ([("Hello", "waiting", None)], 1)


def test_nobody_is_asked_again_for_what_was_spoken_or_will_not_be(on_a_call, type_in, reconcile, run_jobs):
    for text in ("fetched", "never asked for"):
        type_in(text)
    on_a_call.tell(9, "conference-end")
    run_jobs()
    ours(Caption).update(stored_at=timezone.now() - timedelta(minutes=5))
    ours(Caption).filter(text="fetched").update(asked_at=timezone.now() - timedelta(minutes=4))
    reconcile()
    assert not {"settle", "speak_next"} & {*run_jobs()}


def test_where_the_call_ends_it_says_so(on_a_call, type_in, captions):
    type_in("one"), type_in("two")
    on_a_call.tell(9, "conference-end")
    assert states(captions) == [("one", "notSpoken", CALL_OVER), ("two", "notSpoken", CALL_OVER)]


def test_six_a_minute(on_a_call, type_in):
    for number in range(6):
        type_in(str(number), jobs=False)
    assert type_in("7", expected=429, jobs=False)["code"] == "throttled"


def test_a_message_of_nobody_is_silence(fetch, sandbox_telephony, db, caplog):
    assert fetch(f"{settings.PUBLIC_URL}/api/voice/announcement?message=999") == []
    assert fetch(f"{settings.PUBLIC_URL}/api/voice/announcement?message=x") == []
    assert "could not be read" not in caplog.text  # it is no fault of ours
