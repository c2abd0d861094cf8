"""Forgets what is kept for a time, once that is over. Each day; docs/data.md says how long."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management.base import CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from billing.audit.report import table
from billing.models import StripeEvent
from billing.refused_cards import old_refusals
from core.deadline import is_over
from core.jobs.standing import done_jobs, given_up_jobs, gone_workers
from core.runs import BoundedCommand
from groups.invitations.services import expired_links
from groups.models import LAST_WORDS, Caption, Departure, PartialCaption, Ring
from groups.notifications.models import Notice, SandboxEmail, SandboxMessage
from groups.notifications.pushes import old_pushes
from users.idempotency import old_answers
from users.limits import idle_limits
from users.models import PendingVerification
from users.sign_in.tickets import old_tickets
from voice.models import Conference, ConferenceEvent
from voicechat.export.ordering import old_exports

RAW = timedelta(days=90)
"""For what vendors told, as they told it."""
AT_ONCE = 1000
"""Rows in a transaction, so that nobody waits for it."""
DAY = timedelta(days=1)
READ_AT_ONCE = 100_000


def old_conference_events(now: datetime) -> QuerySet[Any]:
    """That the conference has ended is known without them, once `close` has said so."""
    return ConferenceEvent.objects.filter(conference__completed=True, conference__ended_at__lt=now - RAW)


def old_captions(now: datetime) -> QuerySet[Any]:
    """Those that are kept for no time stay a day, emptied: Twilio may tell them once more."""
    return Caption.objects.filter(stored_at__lt=now - max(timedelta(days=settings.CAPTION_DAYS), DAY))


KINDS: dict[str, Callable[[datetime], QuerySet[Any]]] = {
    "limits that count nothing any more": idle_limits,
    "answers kept for a repetition": old_answers,
    "tickets for streams": old_tickets,
    "exports of what is kept about people": old_exports,
    "codes sent to telephones": lambda now: PendingVerification.objects.filter(expires_at__lte=now),
    "refused cards": old_refusals,
    "departures": lambda now: Departure.objects.filter(left_at__lte=now - LAST_WORDS),
    "captions": old_captions,
    "what was being said": lambda now: PartialCaption.objects.filter(created_at__lt=now - DAY),
    "rings": lambda now: Ring.objects.filter(changed_at__lt=now - DAY),
    "links of invitations": expired_links,
    "events of Stripe's": lambda now: StripeEvent.objects.filter(created_at__lt=now - RAW),
    "events of ended conferences": old_conference_events,
    "pushes": old_pushes,
    "jobs that are done": done_jobs,
    "jobs that were given up": given_up_jobs,
    "workers that are gone": gone_workers,
    "what people were told": lambda now: Notice.objects.filter(created_at__lt=now - RAW),
    "e-mails that the sandbox kept": lambda now: SandboxEmail.objects.filter(created_at__lt=now - RAW),
    "SMS that the sandbox kept": lambda now: SandboxMessage.objects.filter(created_at__lt=now - RAW),
    "operators' sessions": lambda now: Session.objects.filter(expire_date__lt=now),
}


class Command(BoundedCommand):
    help = (
        "Forgets limits, answers, tickets, exports, codes, refusals, links, events and sessions whose time is over. "
        "Twice at once is harmless."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say how much there is, and forget nothing")

    def run(self, **options: Any) -> None:
        now, is_dry = timezone.now(), options["dry_run"]
        if not is_dry:
            close(now)
        forgotten = {} if is_dry else forget({title: rows_of(now) for title, rows_of in KINDS.items()})
        rows = [(title, forgotten.get(title, 0), rows_of(now).count()) for title, rows_of in KINDS.items()]
        self.stdout.write("\n".join(table(("", "forgotten", "left"), *rows)))


def close(now: datetime) -> None:
    """Notes as a fact that old conferences are over: so far it follows from their events."""
    Conference.objects.filter(completed=False, ended_at__lt=now - RAW).update(completed=True)


def forget(kinds: dict[str, QuerySet[Any]]) -> Counter[str]:
    """A part of each kind in turn, until nothing or no time is left: one that has very much holds up no other."""
    forgotten: Counter[str] = Counter()
    waiting = {title: parts_of(rows) for title, rows in kinds.items()}
    while waiting:
        for title, parts in list(waiting.items()):
            part = None if is_over() else next(parts, None)
            if part is None:
                del waiting[title]
                continue
            still(kinds[title], part).delete()
            forgotten[title] += len(part)
    return forgotten


def still(rows: QuerySet[Any], keys: list[Any]) -> QuerySet[Any]:
    """Those whose time is over when they go. An old conference's events stay so: they are not joined to it again."""
    known = ConferenceEvent.objects.all() if rows.model is ConferenceEvent else rows
    return known.filter(pk__in=keys)


def parts_of(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """Keys, of which many are read at once: to find the oldest events may take a look at all of them."""
    rest = rows
    while keys := list(rest.order_by("pk").values_list("pk", flat=True)[:READ_AT_ONCE]):
        yield from (keys[first : first + AT_ONCE] for first in range(0, len(keys), AT_ONCE))
        rest = rows.filter(pk__gt=keys[-1])  # beyond what is gone, and not yet vacuumed away
