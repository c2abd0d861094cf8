"""Money back to the card. Each refund is posted once under its own id, and once more where it comes back."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone
from rest_framework.exceptions import ValidationError

from billing.gateway.interface import CURRENCY, PaymentsMisconfigured, Refund, RefundRefused, UnknownSource, payments
from billing.ledger import entry_of_payment, held_micros, lock_account, post_entry
from billing.models import Account, LedgerEntry, RefundRequest, TopUp
from billing.notices import NOT_OURS, in_other_currency
from core.failpoints import failpoint
from core.transactions import atomic_and_retried
from core.wire import MICROS_PER_CENT, dollars

logger = logging.getLogger(__name__)


SENT_BEFORE = "This form was sent before, with something else in it. That counted, and now nothing was done."
REFUSED_BEFORE = "This form was sent before, with something else in it, and was refused: open it again."
GIVE_UP_AFTER = timedelta(hours=1)
"""A request that Stripe knows nothing of is not made any more after this: no answer to it can be on its way."""


def refund(*, top_up: TopUp, amount_cents: int, key: str, check: Callable[[], None] = lambda: None) -> Refund:
    """Gives back what a top-up brought, or a part of it. The same key gives back once.

    What has been talked away, is held by calls or goes back already is not there any more. The money is reserved before
    Stripe is asked, and stays so where Stripe does not answer. `check` may refuse it under the account's lock, and what
    it writes is written with the reservation.

    Raises ValidationError, RefundRefused, UnknownSource, PaymentsUnavailable.
    """
    vendor = payments()
    failpoint("before_refund")
    asked = reserve(top_up=top_up, amount_cents=amount_cents, key=key, check=check, now=timezone.now())
    failpoint("after_refund_reserved")
    try:
        made = vendor.create_refund(payment=top_up.payment, amount_cents=amount_cents, key=key)
    except (RefundRefused, UnknownSource, PaymentsMisconfigured):
        let_go(asked)
        raise
    apply_refund(made)  # Stripe tells about it too, where this answer is lost
    return made


@atomic_and_retried
def reserve(*, top_up: TopUp, amount_cents: int, key: str, check: Callable[[], None], now: datetime) -> RefundRequest:
    """Under the account's lock: of two that want the same money one gets it. Raises ValidationError."""
    account = lock_account(top_up.account)
    known = RefundRequest.objects.filter(pk=key).first()
    if known and (known.top_up_id, known.amount_cents) != (top_up.pk, amount_cents):
        raise ValidationError(REFUSED_BEFORE if known.status == RefundRequest.Status.REFUSED else SENT_BEFORE)
    if known is None or known.status == RefundRequest.Status.REFUSED:
        check_amount(account, top_up, amount_cents)
    check()
    status = RefundRequest.Status.MADE if known and known.status == "made" else RefundRequest.Status.PENDING
    fields = {"account": account, "top_up": top_up, "amount_cents": amount_cents, "status": status, "asked_at": now}
    return RefundRequest.objects.update_or_create(pk=key, defaults=fields)[0]


def check_amount(account: Account, top_up: TopUp, amount_cents: int) -> None:
    if top_up.entry_id is None:
        raise ValidationError("This payment brought no money.")
    free = refundable_micros(account)
    if not 0 < amount_cents * MICROS_PER_CENT <= free:
        raise ValidationError(f"Choose an amount up to ${dollars(max(free, 0))}, which is what is free of the balance.")
    others = top_up.refund_requests.exclude(status=RefundRequest.Status.REFUSED).filter(refund="")
    under_way = sum(each.amount_cents for each in others)
    if under_way and under_way + amount_cents > top_up.brought_cents:  # of what went back before, Stripe knows better
        raise ValidationError("Another refund of this payment is under way. See what came of it first.")


def refundable_micros(account: Account) -> int:
    """What is free of the balance: neither held by calls nor by refunds that are under way."""
    return account.balance_micros() - account.reserved_micros() - held_micros(account)


@atomic_and_retried
def let_go(asked: RefundRequest) -> bool:
    """Nothing goes back, and its money is free again; not where somebody has asked once more since."""
    lock_account(asked.account)
    pending = RefundRequest.objects.filter(pk=asked.pk, status=RefundRequest.Status.PENDING, asked_at=asked.asked_at)
    return bool(pending.update(status=RefundRequest.Status.REFUSED))


def finish_request(asked: RefundRequest, *, now: datetime) -> bool:
    """Looks at Stripe what became of a request whose answer was lost; whether that is known now. It is not asked for
    again: the operator may have thought better of it. Raises PaymentsUnavailable.
    """
    for made in payments().refunds_since(asked.created_at - timedelta(minutes=5)):
        if made.request == asked.pk:
            apply_refund(made)
            return True
    return now - asked.asked_at > GIVE_UP_AFTER and let_go(asked)


@atomic_and_retried
def apply_refund(refund: Refund) -> str:
    """Posts a refund, or says why not. One that failed has first gone and then come back, whichever we hear first."""
    entry = entry_of_payment(refund.payment)
    if entry is None:
        logger.warning("Stripe refund %s is of no payment of ours", refund.id)
        return NOT_OURS
    account = lock_account(entry.account)
    RefundRequest.objects.filter(pk=refund.request, account=account).update(status="made", refund=refund.id)
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
