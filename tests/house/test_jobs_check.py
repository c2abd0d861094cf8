"""`/readyz` tells staff how the jobs stand, and the log everybody who reads it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.jobs.models import Job, ScheduledCommand, WorkerSeen
from voicechat.jobs_check import JobsCheck

pytestmark = pytest.mark.django_db


@pytest.fixture
def jobs(client, monkeypatch):
    """As an operator reads them."""
    monkeypatch.setattr("voicechat.health.jobs_check", JobsCheck())

    def jobs():
        answer = client.get("/readyz")
        assert answer.status_code == 200  # whoever serves is not to be taken out of the line for it
        return answer.json()["jobs"]

    return jobs


@pytest.fixture
def worker():
    return WorkerSeen.objects.create(name="one", threads=4)


def words(log):
    return [line["message"].partition(":")[0] for line in log.named("voicechat.jobs_check")]


def test_all_is_well_where_a_worker_is_seen_and_nothing_waits(jobs, worker, log):
    Job.objects.create(task="one", due_at=timezone.now() + timedelta(hours=1))
    told = jobs()
    assert (told["state"], told["workers"], told["oldestDueSeconds"], told["givenUp"]) == ("ok", 1, 0, 0)
    assert words(log) == []


def test_a_worker_that_was_not_seen_for_a_minute_is_none(jobs, worker, log):
    WorkerSeen.objects.update(seen_at=timezone.now() - timedelta(seconds=61))
    assert (jobs()["state"], jobs()["workers"]) == ("no_worker", 0)
    assert words(log) == ["No worker has been seen for a minute"]
    WorkerSeen.objects.update(seen_at=timezone.now())
    assert jobs()["state"] == "ok"
    assert words(log)[1:] == ["Jobs are done in time again."]


@pytest.mark.parametrize(("minutes", "state"), [(4, "ok"), (6, "late")])
def test_a_job_that_has_waited_for_more_than_five_minutes_is_late(jobs, worker, log, minutes, state):
    Job.objects.create(task="one", due_at=timezone.now() - timedelta(minutes=minutes))
    Job.objects.create(task="two", due_at=timezone.now() - timedelta(hours=1), state="done")
    Job.objects.create(task="three", due_at=timezone.now() - timedelta(minutes=1))
    told = jobs()
    assert told["state"] == state
    assert minutes * 60 <= told["oldestDueSeconds"] < minutes * 60 + 30
    assert len(words(log)) == (state == "late")


def test_a_job_whose_worker_died_is_late_too(jobs, worker):
    Job.objects.create(task="one", due_at=timezone.now() - timedelta(minutes=6), state="running")
    assert jobs()["state"] == "late"


def test_what_was_given_up_is_counted(jobs, worker):
    Job.objects.create(task="one", state="dead")
    assert jobs()["givenUp"] == 1


def test_each_command_of_the_schedule_says_when_it_ran_and_how_that_went(jobs, worker, settings):
    at = timezone.now()
    ScheduledCommand.objects.create(name="prune", next_at=at, ran_at=at, seconds=1.5, result="words", is_fault=False)
    ScheduledCommand.objects.create(name="check_ledger", next_at=at, ran_at=at, seconds=2, is_fault=True)
    told = jobs()["schedule"]
    assert told.keys() == settings.SCHEDULE.keys()
    assert (told["prune"]["seconds"], told["prune"]["result"]) == (1.5, "ok")
    assert told["prune"]["ranAt"].startswith(f"{at:%Y-%m-%dT%H:%M:%S}")
    assert told["check_ledger"]["result"] == "went wrong"
    assert told["reconcile_calls"] == {"ranAt": None, "seconds": None, "result": "never ran"}
