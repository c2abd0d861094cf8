"""Forgets what is kept for a time, once that is over. For a scheduler, each day; docs/data.md says how long."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.core.management.base import CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from billing.audit.report import table
from billing.models import StripeEvent
from billing.refused_cards import old_refusals
from core.deadline import is_over
from core.runs import BoundedCommand
from groups.models import LAST_WORDS, Departure
from users.idempotency import old_answers
from users.limits import idle_limits
from voice.models import Conference, ConferenceEvent

RAW = timedelta(days=90)
"""For what vendors told, as they told it."""
AT_ONCE = 1000
"""Rows in a transaction, so that nobody waits for it."""


def old_conference_events(now: datetime) -> QuerySet[Any]:
    """That the conference has ended is known without them, once `close` has said so."""
    return ConferenceEvent.objects.filter(conference__completed=True, conference__ended_at__lt=now - RAW)


KINDS: dict[str, Callable[[datetime], QuerySet[Any]]] = {
    "limits that count nothing any more": idle_limits,
    "answers kept for a repetition": old_answers,
    "refused cards": old_refusals,
    "departures": lambda now: Departure.objects.filter(left_at__lte=now - LAST_WORDS),
    "events of Stripe's": lambda now: StripeEvent.objects.filter(created_at__lt=now - RAW),
    "events of ended conferences": old_conference_events,
    "operators' sessions": lambda now: Session.objects.filter(expire_date__lt=now),
}


class Command(BoundedCommand):
    help = "Forgets limits, answers, refusals, events and sessions whose time is over. Twice at once is harmless."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say how much there is, and forget nothing")

    def run(self, **options: Any) -> None:
        now, is_dry = timezone.now(), options["dry_run"]
        if not is_dry:
            close(now)
        rows = [
            (title, 0 if is_dry else forget(rows_of(now)), rows_of(now).count()) for title, rows_of in KINDS.items()
        ]
        self.stdout.write("\n".join(table(("", "forgotten", "left"), *rows)))


def close(now: datetime) -> None:
    """Notes as a fact that old conferences are over: so far it follows from their events."""
    Conference.objects.filter(completed=False, ended_at__lt=now - RAW).update(completed=True)


def forget(rows: QuerySet[Any]) -> int:
    forgotten = 0
    while not is_over() and (keys := list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])):
        rows.filter(pk__in=keys).delete()
        forgotten += len(keys)
    return forgotten
