"""Putting right what requests and webhooks left undone, and showing what is not as it is at Stripe.

Safe to run twice at once and beside requests. Nothing asks Stripe inside a database transaction. What fails is left for
the next run.
"""

from datetime import datetime, timedelta
from functools import partial

from django.db.models import F
from django.utils import timezone

from billing import top_ups, webhook
from billing.audit.comparison import Comparison
from billing.audit.report import Line, Report
from billing.disputes import apply_dispute
from billing.gateway.interface import payments
from billing.models import Dispute, RefundRequest, StripeEvent, TopUp
from billing.refunds import finish_request

MOST_AT_ONCE = 500
LEAST_TRIED = (F("tried_at").asc(nulls_first=True), "created_at")
"""Those that always fail stand behind those that were not tried yet, and end no run: only an outage does."""
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
    follow_disputes(report)
    Comparison(report, now - timedelta(days=days)).run()
    return report


def finish_pending(report: Report, now: datetime) -> None:
    line = report.line("payments left pending")
    left = TopUp.objects.filter(status=TopUp.Status.PENDING).exclude(in_flight_until__gt=now)
    for top_up in left.select_related("account__user").order_by(*LEAST_TRIED)[:MOST_AT_ONCE]:
        line.looked_at += 1
        finish = partial(top_ups.finish_left, top_up, now=timezone.now())  # a run may take longer than one is in flight
        line.put_right += line.attempt(f"top-up {top_up.pk}", finish)


def cancel_old_consents(report: Report, now: datetime) -> None:
    """Nobody confirms a payment of yesterday any more; one that was confirmed is posted."""
    line = report.line("payments without consent for a day")
    waiting = TopUp.objects.filter(status=TopUp.Status.CONSENT, created_at__lt=now - CONSENT_FOR)
    for top_up in waiting.select_related("account").order_by(*LEAST_TRIED)[:MOST_AT_ONCE]:
        if not claim_consent(top_up, now=now):
            continue
        line.looked_at += 1
        line.put_right += line.attempt(f"top-up {top_up.pk}", partial(top_ups.cancel, top_up))


def claim_consent(top_up: TopUp, *, now: datetime) -> bool:
    """Whether no other run has it. One that fails comes after the others next time."""
    return bool(TopUp.objects.filter(pk=top_up.pk, tried_at=top_up.tried_at).update(tried_at=now))


def apply_events(report: Report, now: datetime) -> None:
    line = report.line("webhook events not applied")
    waiting = StripeEvent.objects.filter(applied_at=None, created_at__gt=now - EVENTS_FOR)
    for stored in waiting.order_by("created_at", "id")[:MOST_AT_ONCE]:
        line.looked_at += 1
        line.put_right += line.attempt(f"event {stored.pk}", partial(apply_again, stored))


def finish_refunds(report: Report, now: datetime) -> None:
    """Refunds whose answer was lost: their money is reserved until it is known what became of them."""
    line = report.line("refunds asked for")
    left = RefundRequest.objects.filter(status=RefundRequest.Status.PENDING, asked_at__lt=now - top_ups.IN_FLIGHT)
    for asked in left.select_related("account", "top_up").order_by("asked_at")[:MOST_AT_ONCE]:
        line.looked_at += 1
        line.attempt(f"refund {asked.pk}", partial(finish_refund, asked, line, now))


def finish_refund(asked: RefundRequest, line: Line, now: datetime) -> None:
    line.put_right += finish_request(asked, now=now)


def follow_disputes(report: Report) -> None:
    """A dispute may last for months, and stops its account's calls: we may not have heard of its end."""
    line = report.line("disputes that are open")
    for row in Dispute.objects.open().order_by("created_at")[:MOST_AT_ONCE]:
        line.looked_at += 1
        line.attempt(f"dispute {row.pk}", partial(follow, row, line))


def follow(row: Dispute, line: Line) -> None:
    before = row.status
    apply_dispute(payments().retrieve_dispute(dispute=row.pk))
    row.refresh_from_db()
    line.put_right += row.status != before


def apply_again(stored: StripeEvent) -> None:
    webhook.apply(payments().event_from_payload(stored.payload, name=stored.pk))
