"""Commands come by the clock: once each time, whoever looks, and what was missed is not made up."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from core.jobs import schedule
from core.jobs.models import MOST_WORDS, Job, ScheduledCommand
from core.jobs.queue import begin
from core.jobs.schedule import Clock, Scheduled, enqueue_due
from core.jobs.worker import do_all
from tests.jobs.tasks import linger
from tests.voice.conferences.test_event_races import at_once

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 29, 17, 30, 20, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def commands(settings, monkeypatch):
    """Two, and how often each was called. What each does can be set."""
    settings.SCHEDULE = {"often": {"minutes": 1}, "daily": {"minutes": 24 * 60, "after": 60, "is_long": True}}
    called, does = [], {}

    def call_command(name, stdout, stderr):
        called.append(name)
        stdout.write(f"{name} ran\n")
        does.get(name, lambda: None)()

    monkeypatch.setattr(schedule, "call_command", call_command)
    return called, does


def pass_time(*moments):
    """A worker looks at each of these moments, and does what is due."""
    for moment in moments:
        enqueue_due(moment)
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        do_all()


def raising(error):
    def do():
        raise error

    return do


def test_each_comes_at_once_and_then_at_its_times(commands):
    called, _ = commands
    pass_time(*(NOW + seconds * timedelta(seconds=1) for seconds in range(0, 180, 5)))
    assert (called.count("often"), called.count("daily")) == (4, 1)
    assert ScheduledCommand.objects.get(pk="often").next_at == datetime(2026, 11, 29, 17, 34, tzinfo=UTC)
    assert ScheduledCommand.objects.get(pk="daily").next_at == datetime(2026, 11, 30, 1, tzinfo=UTC)


def test_each_comes_at_the_very_second_and_once(commands):
    called, _ = commands
    begun = NOW.replace(second=0)
    pass_time(begun, begun, begun + MINUTE, begun + MINUTE)
    assert called.count("often") == 2


def test_minutes_that_were_missed_are_not_made_up(commands):
    called, _ = commands
    pass_time(NOW, NOW + 100 * MINUTE, NOW + 100 * MINUTE)
    assert called.count("often") == 2


def test_a_clock_that_is_set_back_keeps_nothing_waiting(commands):
    called, _ = commands
    pass_time(NOW, NOW - 5 * DAY, NOW - 5 * DAY + MINUTE)
    assert (called.count("often"), called.count("daily")) == (3, 2)


def test_one_that_still_runs_is_not_begun_beside_itself_and_holds_up_no_other(commands):
    called, _ = commands
    enqueue_due(NOW)
    at_work = begin("hangs")
    pass_time(NOW + MINUTE, NOW + 2 * MINUTE)
    assert (at_work.task, called) == ("core.jobs.schedule.run_command", ["daily"])


def test_one_that_a_worker_takes_to_be_due_that_was_run_meanwhile_is_not_run_again(commands):
    called, _ = commands
    pass_time(NOW)
    often, due = schedule.schedule()["often"], ScheduledCommand.objects.get(pk="often").next_at
    pass_time(NOW + MINUTE)
    schedule.enqueue_run(often, due, NOW + MINUTE)
    do_all()
    assert called.count("often") == 2


def test_a_job_about_something_of_that_name_holds_up_no_command(commands):
    called, _ = commands
    linger.using(run_after=timezone.now() + DAY).enqueue("often", 1)
    enqueue_due(NOW)
    do_all()
    assert called.count("often") == 1


def test_of_what_a_command_says_the_end_is_kept(commands, monkeypatch):
    says = f"{'Much. ' * 500}The end."
    monkeypatch.setattr(schedule, "call_command", lambda *_, stdout, **__: stdout.write(says))
    pass_time(NOW)
    assert ScheduledCommand.objects.get(pk="often").result == says[-MOST_WORDS:]


def test_how_it_went_is_noted(commands):
    pass_time(NOW)
    often = ScheduledCommand.objects.get(pk="often")
    assert (often.is_fault, often.result, often.seconds >= 0) == (False, "often ran", True)
    assert timezone.now() - often.ran_at < MINUTE
    assert Job.objects.get(task__endswith=".run_command").result == '"often ran"'


def test_what_it_finds_wrong_is_noted_and_is_no_failure_of_the_job(commands):
    _, does = commands
    does["daily"] = raising(CommandError("The ledger is not sound."))
    pass_time(NOW)
    daily = ScheduledCommand.objects.get(pk="daily")
    assert (daily.is_fault, daily.result) == (True, "daily ran\nThe ledger is not sound.")
    assert set(Job.objects.values_list("state", flat=True)) == {"done"}


def test_where_one_breaks_its_next_time_is_the_next_try_and_a_rare_one_is_tried_before(commands):
    _, does = commands
    does["often"] = does["daily"] = raising(ZeroDivisionError)
    pass_time(NOW)
    states = dict(Job.objects.values_list("task", "state"))
    assert states == {"core.jobs.schedule.run_command": "done", "core.jobs.schedule.run_long_command": "waiting"}
    assert {each.is_fault for each in ScheduledCommand.objects.all()} == {True}
    assert {each.result for each in ScheduledCommand.objects.all()} == {"It failed: the log says where."}


def test_it_is_looked_at_once_a_second(commands, django_assert_num_queries):
    time = [0.0]
    clock = Clock(lambda: time[0])
    clock()
    with django_assert_num_queries(0):
        time[0] = 0.9
        clock()
    assert Job.objects.count() == 2
    ScheduledCommand.objects.update(next_at=NOW)
    Job.objects.all().delete()
    time[0] = 1.0
    clock()
    assert Job.objects.count() == 2


def test_the_times_are_counted_from_midnight():
    night = Scheduled("check_ledger", 24 * 60, after=3 * 60 + 17)
    assert night.next_after(NOW) == datetime(2026, 11, 30, 3, 17, tzinfo=UTC)
    assert night.next_after(datetime(2026, 11, 30, 3, 17, tzinfo=UTC)) == datetime(2026, 12, 1, 3, 17, tzinfo=UTC)
    assert Scheduled("prices", 10).next_after(NOW) == datetime(2026, 11, 29, 17, 40, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_look_at_once_run_it_once(commands, on_postgresql):
    enqueue_due(NOW)
    Job.objects.all().delete()
    later = NOW + MINUTE
    at_once(lambda: enqueue_due(later), lambda: enqueue_due(later))
    assert Job.objects.count() == 1


def test_what_stands_in_the_settings_can_be_run(settings, capsys):
    enqueue_due(timezone.now())
    assert {is_well for _, is_well in do_all()} == {True}
    ran = {each.name: each for each in ScheduledCommand.objects.all()}
    assert ran.keys() == settings.SCHEDULE.keys()
    assert {name for name, each in ran.items() if each.is_fault} == set()
    assert "every balance is" in ran["check_ledger"].result
