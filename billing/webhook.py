"""Stripe's webhook: stored once, applied once, in any order. https://docs.stripe.com/webhooks

Storing and applying are two steps: before some events can be applied Stripe must be asked, and nothing asks Stripe
inside a database transaction. An event that could not be applied is delivered again, and `reconcile_payments` tries it.
"""

import logging
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone

from billing import cards, disputes, refunds, top_ups
from billing.gateway.interface import (
    DetachedPaymentMethod,
    DisputeReport,
    Payment,
    PaymentMethod,
    Refund,
    RefundedCharge,
    Subject,
    WebhookEvent,
    payments,
)
from billing.models import StripeEvent
from core.failpoints import failpoint

logger = logging.getLogger(__name__)

FOLLOWED: dict[type, Callable[[Any], None]] = {
    Payment: top_ups.apply_payment,
    Refund: refunds.apply_refund,
    DisputeReport: disputes.apply_dispute,
    PaymentMethod: cards.update_card,
    DetachedPaymentMethod: cards.forget_card,
}


def receive(event: WebhookEvent) -> None:
    """Stores the event and applies it. One that was applied before changes nothing."""
    stored, _ = StripeEvent.objects.get_or_create(
        pk=event.id, defaults={"type": event.type, "payload": dict(event.payload)}
    )
    failpoint("after_event")
    if stored.applied_at is None:
        apply(event)


def apply(event: WebhookEvent) -> None:
    """Raises PaymentsUnavailable where Stripe must be asked and does not answer: the event then waits."""
    followed = subjects(event)
    with transaction.atomic():
        stored = StripeEvent.objects.select_for_update(no_key=True).get(pk=event.id)
        if stored.applied_at is None:
            for subject in followed:
                FOLLOWED[type(subject)](subject)
            stored.applied_at = timezone.now()
            stored.save(update_fields=["applied_at"])


def subjects(event: WebhookEvent) -> list[Subject]:
    """What is to be followed. Money can only go back once it has come: a payment that we missed is finished first."""
    about = event.about
    if about is None:
        logger.info("Stored Stripe event %s (%s); nothing follows from it", event.id, event.type)
        return []
    if isinstance(about, Refund | DisputeReport | RefundedCharge):
        top_ups.make_sure_of(about.payment)
    return list(payments().refunds(charge=about.id)) if isinstance(about, RefundedCharge) else [about]
