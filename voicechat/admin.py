"""The operators' pages about jobs: what is to be done, who does it, and what comes by the clock."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.messages import WARNING
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from core.jobs.models import LATE, Job, ScheduledCommand, WorkerSeen
from core.jobs.queue import try_again
from core.jobs.standing import standing
from core.transactions import lock_rows
from users.operators import reason_first
from users.operators.overview import Figure, Panel, on_first_page
from users.operators.pages import ReadOnlyAdmin, SaidFilter, ask_operator_again
from voice.admin import time_spent

RIGHT = "jobs.change_job"
AGAIN = "Tried again."


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Those that were given up can be tried again by whoever may change jobs."""

    list_display = ("id", "task", "arguments", "state", "tries", "due_at", "finished_at", "fault")
    list_filter = ("state", ("task", SaidFilter), "enqueued_at")
    search_fields = ("id__exact", "cause__startswith")
    search_help_text = "A job's number, or the beginning of its task's path."
    fields = (
        *("id", "task", "arguments", "state", "tries", "fault", "result"),
        *("enqueued_at", "due_at", "started_at", "finished_at", "worker"),
    )
    actions = ("try_again",)

    def has_repeat_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(RIGHT))

    @admin.action(description="Try selected jobs again", permissions=("repeat",))
    def try_again(self, request: HttpRequest, jobs: QuerySet[Job]) -> HttpResponse | None:
        """Those of them that were given up, as often as at first. Each has a line in its history."""
        if asked := reason_first(request):
            return asked
        chosen = jobs.filter(state=Job.State.DEAD)
        given_up: list[Any] = lock_rows(chosen)
        ask_operator_again(request)
        if not self.has_repeat_permission(request):
            raise PermissionDenied
        for job in given_up:
            self.log_change(request, job, AGAIN)
        count = try_again(Job.objects.filter(pk__in=[job.pk for job in given_up]))
        left = jobs.count() - count
        self.message_user(request, f"Tried again: {count}.")
        if left:
            self.message_user(request, f"Left as they are: {left}, which were not given up.", WARNING)
        return None


@admin.register(WorkerSeen)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = fields = ("name", "threads", "started_at", "seen_at")


@admin.register(ScheduledCommand)
class ScheduledCommandAdmin(ReadOnlyAdmin):
    list_display = ("name", "ran_at", "seconds", "is_fault", "next_at", "result")
    list_filter = ("is_fault",)
    fields = ("name", "next_at", "ran_at", "seconds", "is_fault", "result")


@on_first_page("jobs.view_job")
def work(now: datetime) -> Panel:
    stands, jobs = standing(now), reverse("admin:jobs_job_changelist")
    faults = ScheduledCommand.objects.filter(is_fault=True).count()
    commands = reverse("admin:jobs_scheduledcommand_changelist")
    late = time_spent(stands.late_seconds) if stands.late_seconds > LATE.total_seconds() else ""
    return Panel(
        "Work",
        [
            Figure("workers", str(stands.workers), reverse("admin:jobs_workerseen_changelist"), not stands.workers),
            Figure("the oldest job is late", late or "no", f"{jobs}?state__exact=waiting", bool(late)),
            Figure("jobs given up", str(stands.given_up), f"{jobs}?state__exact=dead", bool(stands.given_up)),
            Figure("commands that went wrong", str(faults), f"{commands}?is_fault__exact=1", bool(faults)),
        ],
    )
