"""What operators see of jobs, and that they have those tried again that were given up."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.utils import timezone

from core.jobs.models import Job, ScheduledCommand, WorkerSeen
from tests.admin.conftest import WHY, Browser, text
from users.models import User

JOBS = "/admin/jobs/job/"


@pytest.fixture
def given_up(db: None) -> Job:
    fault = "The telephone service does not answer. (ChannelUnavailable)"
    fields: dict[str, Any] = {"state": "dead", "tries": 12, "fault": fault, "finished_at": timezone.now()}
    return Job.objects.create(task="voice.hang_ups.end_leg", arguments="[[17], {}]", cause="end_leg:17", **fields)


def again(browser: Browser, *jobs: Job) -> Any:
    form = {"action": "try_again", "_selected_action": [job.pk for job in jobs], "why": WHY}
    return browser.post(JOBS, form, follow=True)


def test_a_job_says_what_it_is_and_why_it_was_given_up(browser: Browser, given_up: Job) -> None:
    page = text(browser.get(JOBS, {"state__exact": "dead"}))
    assert "voice.hang_ups.end_leg" in page
    assert given_up.fault in page
    assert given_up.fault in text(browser.get(f"{JOBS}{given_up.pk}/change/"))


def test_one_that_was_given_up_is_tried_again_and_its_history_says_who_asked(browser: Browser, given_up: Job) -> None:
    waiting = Job.objects.create(task="one", due_at=timezone.now(), tries=3)
    page = text(again(browser, given_up, waiting))
    assert "Tried again: 1." in page
    assert "Left as they are: 1, which were not given up." in page
    given_up.refresh_from_db()
    waiting.refresh_from_db()
    assert (given_up.state, given_up.tries, given_up.finished_at, waiting.tries) == ("waiting", 0, None, 3)
    (entry,) = LogEntry.objects.all()
    assert (entry.user.email, entry.object_id, entry.change_message) == (
        "root@example.com",
        str(given_up.pk),
        f"Tried again. {WHY}",
    )


def test_staff_without_the_right_see_jobs_and_repeat_none(helper: Browser, bob: User, given_up: Job) -> None:
    bob.user_permissions.set(Permission.objects.filter(codename="view_job"))
    assert given_up.fault in text(helper.get(JOBS))
    again(helper, given_up)
    given_up.refresh_from_db()
    assert given_up.state == "dead"
    bob.user_permissions.set(Permission.objects.filter(codename__in=("view_job", "change_job")))
    again(helper, given_up)
    given_up.refresh_from_db()
    assert given_up.state == "waiting"


def test_no_job_is_changed_made_or_deleted_there(browser: Browser, given_up: Job) -> None:
    for path in (f"{JOBS}add/", f"{JOBS}{given_up.pk}/delete/"):
        assert browser.post(path, {"post": "yes", "why": WHY}).status_code == 403
    assert browser.post(f"{JOBS}{given_up.pk}/change/", {"state": "waiting"}).status_code == 403


def test_workers_and_the_schedule_are_shown(browser: Browser) -> None:
    WorkerSeen.objects.create(name="17-abc", threads=4)
    now = timezone.now()
    ScheduledCommand.objects.create(
        name="reconcile_calls", next_at=now, ran_at=now, seconds=0.25, result="ended 0 calls of used-up balances"
    )
    assert "17-abc" in text(browser.get("/admin/jobs/workerseen/"))
    assert "ended 0 calls" in text(browser.get("/admin/jobs/scheduledcommand/"))
