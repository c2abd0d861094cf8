"""A group is told that its call began: at most once a minute, and not silently not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.jobs.models import Job
from core.jobs.worker import do_all
from groups.models import Group, SandboxNotification
from tests.doubles.server import Fault
from tests.doubles.twilio import error
from tests.neighbours import ours
from tests.voice.conferences.test_event_races import at_once
from tests.voice.conftest import MINUTES_LATER
from voice.conferences.announcing import announce
from voice.models import Conference


@pytest.fixture
def phones(api, alice, bob):
    for user in (alice, bob):
        api.post("/api/voice/registerBinding", {"identity": f"u_{user.pk}", "address": f"of {user.pk}"})


@pytest.fixture
def begin(tell, leg, alice, run_jobs):
    """A conference begins; whether a worker does what follows, and whether it goes well."""

    def begin(sid="CF1", *, survives=True, failing=False):
        tell(1, "participant-join", leg(alice, f"CA{sid}"), conference=sid)
        if survives:
            run_jobs(failing=failing)

    return begin


@pytest.fixture
def again(run_jobs):
    """A worker does what waits, whenever it is due."""

    def again(**how):
        Job.objects.filter(state="waiting").exclude(task=MINUTES_LATER).update(due_at=timezone.now())
        return run_jobs(**how)

    return again


def told():
    return SandboxNotification.objects.count()


def announcements():
    return list(ours(Conference).order_by("sid").values_list("announcement", flat=True))


def test_three_short_conferences_within_a_minute_are_one_announcement(begin, phones):
    for sid in ("CF1", "CF2", "CF3"):
        begin(sid)
    assert (told(), announcements()) == (1, ["told", "spared", "spared"])


def test_so_it_is_before_anybody_was_told(begin, phones, again):
    begin("CF1", survives=False), begin("CF2", survives=False)
    assert announcements() == ["due", "spared"]


def test_what_was_spared_spares_nothing_itself(begin, phones):
    """Calls that begin every fifty seconds are announced by every other one."""
    for sid in ("CF1", "CF2", "CF3"):
        begin(sid)
        for conference in ours(Conference):
            conference.notified_at -= timedelta(seconds=50)
            conference.save()
    assert (told(), announcements()) == (2, ["told", "spared", "told"])


def test_where_nobody_knows_who_has_begun_it_all_are_told(tell, phones, run_jobs, alice, bob):
    tell(1, "participant-join", "CA404")
    run_jobs()
    (sent,) = SandboxNotification.objects.all()
    assert sorted(sent.identities) == sorted([f"u_{alice.pk}", f"u_{bob.pk}"])


def test_of_what_nobody_could_be_told_nobody_is_spared(begin, phones):
    begin("CF1", survives=False)
    ours(Conference).update(announcement="lost")
    begin("CF2")
    assert (told(), announcements()) == (1, ["lost", "told"])


def test_another_groups_call_spares_nobody(begin, phones, twilio, tell, dave):
    work = Group.objects.create(name="Work")
    twilio("/api/voice/makeCall", to=work.pk, From=f"client:u_{dave.pk}", CallSid="CA9")
    tell(1, "participant-join", "CA9", conference="CF0", FriendlyName=work.pk)
    begin("CF1")
    assert (told(), announcements()) == (1, ["told", "told"])


def test_a_minute_counts_from_when_phones_were_told(begin, phones, again):
    begin("CF1", survives=False)
    ours(Conference).update(notified_at=timezone.now() - timedelta(seconds=61))
    again()
    begin("CF2")
    assert announcements() == ["told", "spared"]


def test_a_call_after_a_minute_is_announced_anew(begin, phones):
    begin("CF1")
    ours(Conference).update(notified_at=timezone.now() - timedelta(seconds=61))
    begin("CF2")
    assert (told(), announcements()) == (2, ["told", "told"])


def test_what_nobody_has_told_yet_is_told_by_the_next_worker_once(begin, phones, again):
    begin(survives=False)
    assert (told(), announcements()) == (0, ["due"])
    assert again() == ["announce", "tell_batch", "conclude"]
    assert (told(), announcements()) == (1, ["told"])
    assert again() == []


def test_what_twilio_did_not_take_is_told_again(begin, phones, again, twilio_telephony, twilio_double):
    twilio_double.fail_next(Fault.SERVER_ERROR)
    begin()
    assert announcements() == ["due"]
    assert again() == ["tell_batch", "conclude"]
    assert (len(twilio_double.notifications), announcements()) == (1, ["told"])


def test_the_answer_to_twilio_does_not_wait_for_it(begin, phones, twilio_telephony, twilio_double):
    begin(survives=False)
    assert twilio_double.notifications == []


@pytest.mark.parametrize("over", [{"ended_at": timezone.now()}, {"created_at": timezone.now() - timedelta(minutes=11)}])
def test_what_is_over_is_told_to_nobody_but_the_operator(begin, phones, again, caplog, over):
    begin(survives=False)
    ours(Conference).update(**over)
    for _ in range(2):
        again()
    assert (told(), announcements()) == (0, ["lost"])
    assert [record.levelname for record in caplog.records if "had begun" in record.message] == ["ERROR"]


def test_what_is_refused_holds_up_no_others(begin, phones, again, twilio_telephony, twilio_double):
    for number in range(3):
        begin(f"CF{number}", survives=False)
    ours(Conference).update(announcement="due")
    Job.objects.all().delete()
    for number in range(3):
        announce.enqueue(f"CF{number}")
    twilio_double.fail_next(error(400, 20001, "Invalid parameter"))
    do_all()
    assert announcements() == ["lost", "told", "told"]
    assert again() == []


@pytest.mark.django_db(transaction=True)
def test_of_two_that_begin_at_once_one_is_announced(on_postgresql, tell, leg, phones, alice, bob):
    one, other = leg(alice, "CA1"), leg(bob, "CA2")
    at_once(
        lambda: tell(1, "participant-join", one, conference="CF1"),
        lambda: tell(1, "participant-join", other, conference="CF2"),
    )
    assert sorted(announcements()) == ["due", "spared"]
