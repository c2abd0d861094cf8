"""Putting right what requests and webhooks left undone, and showing what is not as it is at Stripe.

Safe to run twice at once and beside requests: whoever works at something that was left claims it first. Only the
comparison, which asks Stripe for lists, is each run's own. Nothing asks Stripe inside a database transaction. What
fails is left for the next run.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from django.db.models import QuerySet
from django.utils import timezone

from billing import top_ups, webhook
from billing.audit.comparison import Comparison
from billing.audit.report import Line, Report
from billing.disputes import apply_dispute
from billing.gateway.interface import payments
from billing.models import Dispute, RefundRequest, StripeEvent, TopUp
from billing.refunds import finish_request
from core.claims import claim, give_back

Row = TypeVar("Row", TopUp, StripeEvent, RefundRequest, Dispute)

MOST_AT_ONCE = 500
CONSENT_FOR = timedelta(days=1)
EVENTS_FOR = timedelta(days=7)
"""So long an event that cannot be applied is tried again. After it, the comparison has found what it was about, or the
admin shows it."""


def reconcile_payments(*, now: datetime, days: int) -> Report:
    """Finishes what is pending, and compares the last days with Stripe. Raises NotConfigured."""
    payments()
    report = Report()
    finish_pending(report, now)
    cancel_old_consents(report, now)
    apply_events(report, now)
    finish_refunds(report, now)
    follow_disputes(report, now)
    Comparison(report, now - timedelta(days=days)).run()
    return report


def finish_pending(report: Report, now: datetime) -> None:
    line = report.line("payments left pending")
    left = TopUp.objects.filter(status=TopUp.Status.PENDING).exclude(in_flight_until__gt=now)
    for top_up in first_of(left.select_related("account__user"), line):
        line.looked_at += 1
        finish = partial(top_ups.finish_left, top_up, now=timezone.now())  # a run may take longer than one is in flight
        line.put_right += line.attempt(f"top-up {top_up.pk}", finish)


def cancel_old_consents(report: Report, now: datetime) -> None:
    """Nobody confirms a payment of yesterday any more; one that was confirmed is posted."""
    line = report.line("payments without consent for a day")
    waiting = TopUp.objects.filter(status=TopUp.Status.CONSENT, created_at__lt=now - CONSENT_FOR, try_at__lte=now)
    try_each(waiting.select_related("account"), line, "top-up", cancel)


def cancel(top_up: TopUp) -> bool:
    top_ups.cancel(top_up)
    return True


def apply_events(report: Report, now: datetime) -> None:
    line = report.line("webhook events not applied")
    waiting = StripeEvent.objects.filter(applied_at=None, created_at__gt=now - EVENTS_FOR, try_at__lte=now)
    try_each(waiting, line, "event", apply_again)


def apply_again(stored: StripeEvent) -> bool:
    webhook.apply(payments().event_from_payload(stored.payload, name=stored.pk))
    return True


def finish_refunds(report: Report, now: datetime) -> None:
    """Refunds whose answer was lost: their money is reserved until it is known what became of them."""
    line = report.line("refunds asked for")
    pending = RefundRequest.objects.filter(status=RefundRequest.Status.PENDING, try_at__lte=now)
    left = pending.filter(asked_at__lt=now - top_ups.IN_FLIGHT).select_related("account", "top_up")
    try_each(left, line, "refund", partial(finish_request, now=now))


def follow_disputes(report: Report, now: datetime) -> None:
    """A dispute may last for months, and stops its account's calls: we may not have heard of its end."""
    line = report.line("disputes that are open")
    try_each(Dispute.objects.open().filter(try_at__lte=now), line, "dispute", follow)


def follow(row: Dispute) -> bool:
    before = row.status
    apply_dispute(payments().retrieve_dispute(dispute=row.pk))
    row.refresh_from_db(fields=["status"])
    return row.status != before


def try_each(rows: QuerySet[Row], line: Line, name: str, work: Callable[[Row], bool]) -> None:
    """Each by itself, and none that another run has. `work` says whether something was put right."""
    for row in first_of(rows, line):
        line.attempt(f"{name} {row.pk}", partial(try_one, row, line, work))


def try_one(row: Row, line: Line, work: Callable[[Row], bool]) -> None:
    if not claim(row):
        return
    line.looked_at += 1
    try:
        line.put_right += work(row)
    finally:
        give_back(row)


def first_of(rows: QuerySet[Row], line: Line) -> QuerySet[Row]:
    """Those that have waited longest. Those that always fail stand behind the others, and end no run: only an outage
    does."""
    if (more := rows.count() - MOST_AT_ONCE) > 0:
        line.left.append(f"{more:,} more, for the next run")
    return rows.order_by("try_at", "created_at", "pk")[:MOST_AT_ONCE]
