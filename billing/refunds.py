"""Money back to the card. Each refund is posted once under its own id, and once more where it comes back."""

import logging

from django.db import transaction
from rest_framework.exceptions import ValidationError

from billing.gateway.interface import CURRENCY, Refund, payments
from billing.ledger import entry_of_payment, post_entry
from billing.models import LedgerEntry, TopUp
from billing.notices import NOT_OURS, in_other_currency
from core.wire import MICROS_PER_CENT

logger = logging.getLogger(__name__)


def refund(*, top_up: TopUp, amount_cents: int, key: str) -> Refund:
    """Gives back what a top-up brought, or a part of it. The same key gives back once.

    What has been talked away is not there any more: no more than the balance goes back. Raises ValidationError,
    RefundRefused, PaymentsUnavailable.
    """
    if top_up.entry is None:
        raise ValidationError("This payment brought no money.")
    if not 0 < amount_cents * MICROS_PER_CENT <= top_up.account.balance_micros():
        raise ValidationError("Choose an amount up to the balance.")
    made = payments().create_refund(payment=top_up.payment, amount_cents=amount_cents, key=key)
    apply_refund(made)  # Stripe tells about it too, where this answer is lost
    return made


@transaction.atomic
def apply_refund(refund: Refund) -> str:
    """Posts a refund, or says why not. One that failed has first gone and then come back, whichever we hear first."""
    entry = entry_of_payment(refund.payment)
    if entry is None:
        logger.warning("Stripe refund %s is of no payment of ours", refund.id)
        return NOT_OURS
    if refund.currency != CURRENCY:
        return in_other_currency("refund", refund.id, refund.currency)
    if is_release(refund, entry):
        return "It lets go of what was authorised and never captured: no money came back."
    amount = refund.amount_cents * MICROS_PER_CENT
    post_entry(
        account=entry.account,
        kind=LedgerEntry.Kind.REFUND,
        amount_micros=-amount,
        reference=f"stripe:{refund.id}",
        memo=f"Refund to the card, of money added on {entry.created_at:%Y-%m-%d}",
    )
    if refund.came_back:
        post_entry(
            account=entry.account,
            kind=LedgerEntry.Kind.REFUND,
            amount_micros=amount,
            reference=f"stripe:{refund.id}:failed",
            memo="The refund could not be paid out and came back",
        )
    return ""


def is_release(refund: Refund, entry: LedgerEntry) -> bool:
    """Whether it is the rest of a payment of which less was captured: at Stripe that looks like a refund.

    https://docs.stripe.com/payments/place-a-hold-on-a-payment-method
    """
    top_up: TopUp | None = getattr(entry, "top_up", None)
    if top_up is None or top_up.captured_cents is None:
        return False
    is_the_rest = refund.amount_cents == top_up.amount_cents - top_up.captured_cents
    return (is_the_rest and not refund.is_booked) or refund.amount_cents > top_up.captured_cents
