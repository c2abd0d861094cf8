"""Commands that come by the clock. The setting SCHEDULE names them; each run is a job, one for each command and time.

What was missed is not made up: whatever time has passed, a command runs once, and then at its next time. One that still
waits or runs is not begun beside itself. Every worker looks; of several one finds the time still to be set.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone
from django_tasks import task
from django_tasks.base import Task

from core.jobs.models import MOST_WORDS, Job, ScheduledCommand

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0
"""Seconds."""
SHORT = 60.0
LONG = 660.0
"""Seconds: what a command gives itself (`core/runs.py`), and what it needs to say so."""
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """When a command comes: each so many minutes, counted from some minutes after midnight, UTC. A long one has eleven
    minutes, and is tried again where it fails; of the others the next time is the next try."""

    name: str
    minutes: int
    after: int = 0
    is_long: bool = False

    @property
    def every(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    def next_after(self, now: datetime) -> datetime:
        begun = EPOCH + timedelta(minutes=self.after)
        return begun + ((now - begun) // self.every + 1) * self.every

    def is_due(self, next_at: datetime, now: datetime) -> bool:
        """Also where a clock that was ahead has set the time: it is never further away than one round."""
        return next_at <= now or next_at > now + self.every


def schedule() -> dict[str, Scheduled]:
    times: dict[str, dict[str, Any]] = settings.SCHEDULE
    return {name: Scheduled(name, **each) for name, each in times.items()}


def enqueue_due(now: datetime) -> None:
    """Stores the runs whose time has come. A command that nobody has run yet is due at once."""
    known = dict(ScheduledCommand.objects.values_list("name", "next_at"))
    for name, each in schedule().items():
        if name not in known:
            ScheduledCommand.objects.get_or_create(pk=name, defaults={"next_at": now})
            known[name] = now
        if each.is_due(known[name], now):
            enqueue_run(each, known[name], now)


def enqueue_run(each: Scheduled, next_at: datetime, now: datetime) -> None:
    with transaction.atomic():
        ours = ScheduledCommand.objects.filter(pk=each.name, next_at=next_at)
        if ours.update(next_at=each.next_after(now)) and not is_unfinished(each):
            run = run_long_command if each.is_long else run_command
            run.enqueue(each.name, f"{now:%Y-%m-%d %H:%M}")


def is_unfinished(each: Scheduled) -> bool:
    paths = [path_of(run) for run in (run_command, run_long_command)]
    return Job.objects.unfinished().filter(task__in=paths, arguments__startswith=f'[["{each.name}", ').exists()


def path_of(run: Task[..., Any]) -> str:
    return run.module_path


@task(seconds=SHORT, tries=3)
def run_command(name: str, minute: str) -> str:
    """`minute` is the time by which the run is one. What fails is for the next time."""
    try:
        return note(name)
    except Exception as error:
        logger.exception("%s failed", name)
        return f"failed by {type(error).__name__}"


@task(seconds=LONG, tries=5)
def run_long_command(name: str, minute: str) -> str:
    """As `run_command`, of one whose next time is far away: it is tried again before."""
    return note(name)


def note(name: str) -> str:
    """Runs it, and notes how that went. Its words are counts and ids."""
    begun_at, begun, out, is_fault = timezone.now(), monotonic(), StringIO(), True
    words = "It failed: the log says where."
    try:
        is_fault, words = run(name, out)
    finally:
        ran = {"ran_at": begun_at, "seconds": round(monotonic() - begun, 2), "is_fault": is_fault}
        ScheduledCommand.objects.filter(pk=name).update(**ran, result=words[-MOST_WORDS:])
    return words[-MOST_WORDS:]


def run(name: str, out: StringIO) -> tuple[bool, str]:
    """Whether it found something wrong, and what it said."""
    try:
        call_command(name, stdout=out, stderr=out)
    except CommandError as error:
        return True, f"{out.getvalue()}{error}".strip()
    return False, out.getvalue().strip()


class Clock:
    """Has the schedule looked at now and then, by whoever calls it often."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self.now, self.looked_at = now, float("-inf")

    def __call__(self) -> None:
        if self.now() - self.looked_at >= LOOK_EVERY:
            enqueue_due(timezone.now())
            self.looked_at = self.now()
