"""Stripe's webhook: stored once, applied once, in any order. https://docs.stripe.com/webhooks"""

import logging
from uuid import UUID

from django.db import transaction

from billing.models import StripeEvent, TopUp
from billing.payments import Event, Payment
from billing.top_ups import settle

logger = logging.getLogger(__name__)


@transaction.atomic
def receive(event: Event) -> None:
    """Stores the event and applies it in the same transaction. One that came before changes nothing."""
    _, is_new = StripeEvent.objects.get_or_create(
        pk=event.id, defaults={"type": event.type, "payload": dict(event.payload)}
    )
    if not is_new:
        return
    if event.type in ("payment_intent.succeeded", "payment_intent.payment_failed") and event.payment:
        apply_payment(event.payment, event.top_up)
    else:
        logger.info("Stored Stripe event %s (%s); nothing follows from it", event.id, event.type)


def apply_payment(payment: Payment, top_up_id: str) -> None:
    top_up = find_top_up(payment, top_up_id)
    if top_up is None:
        logger.warning("Stripe payment %s belongs to no top-up of ours", payment.id)
    elif payment.status == "succeeded" or top_up.status in (TopUp.Status.PENDING, TopUp.Status.CONSENT):
        settle(top_up, payment)


def find_top_up(payment: Payment, top_up_id: str) -> TopUp | None:
    try:
        return TopUp.objects.filter(pk=UUID(top_up_id)).first()
    except ValueError:
        return TopUp.objects.filter(payment=payment.id).first() if payment.id else None
