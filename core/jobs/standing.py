"""How the work stands: what `/readyz` tells staff, and what is forgotten."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from core.jobs.models import LATE, UNSEEN, Job, ScheduledCommand, WorkerSeen
from core.jobs.schedule import schedule

DONE_FOR = timedelta(days=1)
GIVEN_UP_FOR = timedelta(days=90)
GONE_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Standing:
    workers: int
    """How many have been seen within a minute."""
    late_seconds: int
    """For how long the oldest job that is due has waited."""
    given_up: int

    @property
    def state(self) -> str:
        """`ok`, `no_worker`, or `late` where a job has waited for more than five minutes."""
        if not self.workers:
            return "no_worker"
        return "late" if self.late_seconds > LATE.total_seconds() else "ok"


def standing(now: datetime) -> Standing:
    oldest = Job.objects.unfinished().filter(due_at__lte=now).order_by("due_at", "id").values_list("due_at", flat=True)
    first = oldest.first()
    return Standing(
        workers=WorkerSeen.objects.filter(seen_at__gt=now - UNSEEN).count(),
        late_seconds=int((now - first).total_seconds()) if first else 0,
        given_up=Job.objects.filter(state=Job.State.DEAD).count(),
    )


def last_runs() -> dict[str, dict[str, Any]]:
    """Of each command that comes by the clock: when it ran last, for how long, and how that went."""
    ran = {each.name: each for each in ScheduledCommand.objects.exclude(ran_at=None)}
    return {name: told(ran.get(name)) for name in schedule()}


def told(ran: ScheduledCommand | None) -> dict[str, Any]:
    if ran is None:
        return {"ranAt": None, "seconds": None, "result": "never ran"}
    return {"ranAt": ran.ran_at, "seconds": ran.seconds, "result": "went wrong" if ran.is_fault else "ok"}


def done_jobs(now: datetime) -> QuerySet[Any]:
    return Job.objects.filter(state=Job.State.DONE, finished_at__lt=now - DONE_FOR)


def given_up_jobs(now: datetime) -> QuerySet[Any]:
    return Job.objects.filter(state=Job.State.DEAD, finished_at__lt=now - GIVEN_UP_FOR)


def gone_workers(now: datetime) -> QuerySet[Any]:
    return WorkerSeen.objects.filter(seen_at__lt=now - GONE_FOR)
