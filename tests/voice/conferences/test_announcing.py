"""A group is told that its call began: at most once a minute, and not silently not."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from groups.models import SandboxNotification
from tests.doubles.server import Fault
from tests.doubles.twilio import error
from tests.voice.conferences.test_event_races import at_once
from voice.conferences import announcing
from voice.conferences.announcing import announce_again
from voice.models import Conference


@pytest.fixture
def phones(api, alice, bob):
    for user in (alice, bob):
        api.post("/api/voice/registerBinding", {"identity": f"u_{user.pk}", "address": f"of {user.pk}"})


@pytest.fixture
def begin(tell, leg, alice, django_capture_on_commit_callbacks):
    """A conference begins; whether what follows the commit is done."""

    def begin(sid="CF1", *, survives=True):
        with django_capture_on_commit_callbacks(execute=survives):
            tell(1, "participant-join", leg(alice, f"CA{sid}"), conference=sid)

    return begin


def told():
    return SandboxNotification.objects.count()


def announcements():
    return list(Conference.objects.order_by("sid").values_list("announcement", flat=True))


def test_three_short_conferences_within_a_minute_are_one_announcement(begin, phones):
    for sid in ("CF1", "CF2", "CF3"):
        begin(sid)
    assert (told(), announcements()) == (1, ["told", "spared", "spared"])


def test_a_call_after_a_minute_is_announced_anew(begin, phones):
    begin("CF1")
    Conference.objects.update(notified_at=timezone.now() - timedelta(seconds=61))
    begin("CF2")
    assert (told(), announcements()) == (2, ["told", "told"])


def test_what_a_killed_worker_did_not_tell_is_told_by_the_next_run(begin, phones):
    begin(survives=False)
    assert (told(), announcements()) == (0, ["due"])
    assert announce_again(now=timezone.now() + timedelta(minutes=1)).told == 1
    assert (told(), announcements()) == (1, ["told"])
    assert announce_again(now=timezone.now() + timedelta(minutes=3)).told == 0


def test_what_twilio_did_not_take_is_told_again(begin, phones, twilio_telephony, twilio_double):
    twilio_double.fail_next(Fault.SERVER_ERROR)
    begin()
    assert announcements() == ["due"]
    announce_again(now=timezone.now() + timedelta(minutes=1))
    assert (len(twilio_double.notifications), announcements()) == (1, ["told"])


def test_one_that_is_at_work_is_not_told_twice(begin, phones):
    begin(survives=False)
    assert announce_again(now=timezone.now() + timedelta(seconds=10)).told == 0


@pytest.mark.parametrize("over", [{"ended_at": timezone.now()}, {"created_at": timezone.now() - timedelta(hours=1)}])
def test_what_is_over_is_told_to_nobody_but_the_operator(begin, phones, caplog, over):
    begin(survives=False)
    Conference.objects.update(notified_at=timezone.now() - timedelta(minutes=5), **over)
    for _ in range(2):
        call_command("reconcile_calls", silent=10_000)
    assert (told(), announcements()) == (0, ["lost"])
    assert [record.levelname for record in caplog.records if "had begun" in record.message] == ["ERROR"]


@pytest.fixture
def untold(begin, phones, twilio_telephony, twilio_double):
    """Five conferences that nobody was told of, the oldest first: one can look what a run makes of them."""
    for number in range(5):
        begin(f"CF{number}", survives=False)
        started = timezone.now() - timedelta(minutes=5, seconds=-number)
        Conference.objects.filter(pk=f"CF{number}").update(notified_at=started, announcement="due")

    def states():
        return "".join(state[0] for state in announcements())

    return states


def run(minutes=0):
    summary = announce_again(now=timezone.now() + timedelta(minutes=minutes))
    return summary.told, summary.failed, summary.left


def test_while_nobody_answers_three_are_tried_and_the_next_run_begins_with_the_others(untold, twilio_double):
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 3)
    assert (run(), untold()) == ((0, 3, 5), "ddddd")
    twilio_double.fail_next(None, None, *[Fault.SERVER_ERROR] * 3)
    assert (run(minutes=1), untold()) == ((2, 3, 3), "dddtt")
    assert (run(minutes=2), untold()) == ((3, 0, 0), "ttttt")


def test_what_is_refused_holds_up_no_others(untold, twilio_double):
    twilio_double.fail_next(*[error(400, 20001, "Invalid parameter")] * 3)
    assert (run(), untold()) == ((2, 3, 3), "dddtt")


def test_of_two_runs_at_once_one_tells_a_group(untold, twilio_double, monkeypatch):
    tell, runs = announcing.tell_of_call, []

    def meanwhile(**told):
        if not runs:
            runs.append(...)
            runs.append(run())
        tell(**told)

    monkeypatch.setattr(announcing, "tell_of_call", meanwhile)
    assert run()[0] + runs[1][0] == len(twilio_double.notifications) == 5


def test_the_command_says_what_it_left(untold, twilio_double, reconcile):
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 9)
    Conference.objects.update(heard_at=timezone.now())
    assert "told 0 groups late, 5 to be told" in reconcile()


@pytest.mark.django_db(transaction=True)
def test_of_two_that_begin_at_once_one_is_announced(on_postgresql, tell, leg, phones, alice, bob):
    one, other = leg(alice, "CA1"), leg(bob, "CA2")
    at_once(
        lambda: tell(1, "participant-join", one, conference="CF1"),
        lambda: tell(1, "participant-join", other, conference="CF2"),
    )
    assert sorted(announcements()) == ["spared", "told"]
