"""What the database says of the moment, for Prometheus: numbers alone, each by an index."""

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from billing.audit.report import differences_told
from core.jobs.models import LATE, Job, ScheduledCommand
from core.jobs.standing import standing
from voice.models import UNSETTLED, Call

Gauges = dict[tuple[Any, ...], float]
MOST_SECONDS = 2
"""For each statement: Prometheus gives ten for all."""


def read() -> Gauges:
    """Raises Django's database errors."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{MOST_SECONDS}s'")
        now = timezone.now()
        return {**jobs(now), **calls(now), **commands(now)}


def jobs(now: datetime) -> Gauges:
    stands, unfinished = standing(now), Job.objects.unfinished()
    by_state = {
        "waiting": unfinished.filter(state=Job.State.WAITING).count(),
        "at work": unfinished.filter(state=Job.State.RUNNING).count(),
        "late": unfinished.filter(due_at__lt=now - LATE).count(),
        "given up": stands.given_up,
    }
    return {
        **{("voicechat_jobs", state): count for state, count in by_state.items()},
        ("voicechat_job_oldest_due_seconds",): stands.late_seconds,
        ("voicechat_workers",): stands.workers,
    }


def calls(now: datetime) -> Gauges:
    on = Call.objects.filter(is_on=True)
    return {
        ("voicechat_phones_on",): on.count(),
        ("voicechat_calls_on",): on.exclude(group_id=None).values("group_id").distinct().count(),
        ("voicechat_calls_unsettled",): Call.objects.filter(UNSETTLED, payer__isnull=False).count(),
        ("voicechat_calls_overdue",): Call.objects.overdue(now).count(),
    }


def commands(now: datetime) -> Gauges:
    """Of those that the schedule has run. The words of `check_ledger` are its own counts and ids."""
    told: Gauges = {}
    for each in ScheduledCommand.objects.exclude(ran_at=None):
        told["voicechat_command_failed", each.name] = int(each.is_fault)
        told["voicechat_command_age_seconds", each.name] = (now - each.ran_at).total_seconds() if each.ran_at else 0
        if each.name == "check_ledger":
            told["voicechat_ledger_differences",] = differences_told(each.result)
    return told
