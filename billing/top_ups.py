"""Adding money: a TopUp is committed first, then the card is charged, then the ledger entry is posted.

A crash, a timeout or a lost answer in between leaves a pending TopUp, which the next request or Stripe's webhook
finishes: it looks for the payment at Stripe, and only where there is none tries again, with the same key. So nobody
pays twice, and no payment is lost. https://docs.stripe.com/api/idempotent_requests

One at a time: who asked while another payment was under way is refused, also where that one has ended before their turn
came. So two that are sent at once are one payment, however fast the database and the bank are.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone
from rest_framework.exceptions import APIException, NotFound

from billing.cards import ensure_customer, forget_card, forget_default, forgetting
from billing.gateway.interface import (
    CURRENCY,
    CardDeclined,
    CustomerGone,
    DetachedPaymentMethod,
    IdempotencyConflict,
    NoCard,
    Payment,
    PaymentsMisconfigured,
    PaymentsUnavailable,
    UnknownSource,
    UnusableSource,
    payments,
)
from billing.ledger import account_of, entry_of_payment, lock_account, post_entry
from billing.models import Account, LedgerEntry, TopUp
from billing.notices import NOT_OURS, in_other_currency
from billing.refused_cards import CardsRefusedTooOften, counting_refusals
from billing.telling import tell_of_top_up
from core.failpoints import failpoint
from core.transactions import atomic_and_retried
from core.wire import MICROS_PER_CENT
from users.idempotency import KeyReused
from users.models import User

logger = logging.getLogger(__name__)

IN_FLIGHT = timedelta(seconds=30)
"""Longer than a request's deadline for vendor calls: after it, whoever worked on a TopUp is gone."""
TRY_FOR = timedelta(minutes=10)
"""A TopUp without a payment at Stripe is not tried again after this: nobody expects yesterday's payment any more, and
Stripe keeps even a failure of its own under an idempotency key for a day. Of a person who is gone none is tried."""
UNSURE_FOR = timedelta(days=3)
"""So long Stripe repeats what it tells. A TopUp of which nobody can find out whether it was paid is given up then;
should its payment turn up after all, it is posted all the same."""
CONSENT = "Your bank wants you to confirm this payment."
EXPIRED = "The payment was not completed in time and nothing was charged. Please try again."
RESERVED = "Your bank has reserved this payment, and nothing was taken yet. The next payment gives it free."
GONE = "Your card is not on file any more, and nothing was charged. Enter it again."
UNDECIDED = ("processing", "requires_confirmation")
OTHER_CURRENCY = "This payment was not made in dollars, and is not on your balance yet. Our staff will see to it."


class PaymentInProgress(APIException):
    status_code = 409
    default_code = "payment_in_progress"
    default_detail = "Another payment of yours is under way. Wait for it to end, then look at your balance."
    wait = 5


class BankUndecided(PaymentsUnavailable):
    default_detail = "The bank has not answered yet. Nothing is lost: look at your balance in a minute."
    is_outage = False


class PaymentUnsure(PaymentsMisconfigured):
    default_detail = (
        "Payments are not possible at the moment. Whether the last one went through is not known yet; nothing is "
        "charged twice, and the operators have been told."
    )


class PaymentNeverFound(PaymentsMisconfigured):
    default_detail = (
        "Payments are not possible at the moment. Whether the last one went through could not be found out for three "
        "days; if it did, it is added to your balance as soon as that is known. The operators have been told."
    )


def add_money(
    *,
    user: User,
    amount_cents: int,
    source: str = "",
    key: str | None = None,
    check: Callable[[], None] = lambda: None,
    came_at: datetime | None = None,
) -> TopUp:
    """Charges the person's card and posts the money. Returns the TopUp: succeeded, refused, or waiting for consent.

    The same key gives the same TopUp for ever. `check` asks for permission once more, under the account's lock.
    `came_at` is when the request came, before it waited for anything: now where nobody says. Raises PaymentInProgress,
    KeyReused, PaymentsUnavailable, PaymentsMisconfigured.
    """
    came_at = came_at or timezone.now()
    account = account_of(user)
    while True:
        customer = ensure_customer(user)
        failpoint("before_topup_row")
        now = timezone.now()
        top_up, is_ours = begin(account, customer, amount_cents, source, key, check, now=now, came_at=came_at)
        if top_up.status != TopUp.Status.PENDING:
            return top_up
        failpoint("after_topup_row")
        top_up = finish(top_up, look_first=not is_ours)
        if answers(top_up, amount_cents, source, key):
            return top_up
        user.refresh_from_db(fields=["stripe_id"])  # the customer may have been found to be gone
        came_at = timezone.now()  # the one that was left was under way since then, by us


def answers(top_up: TopUp, amount_cents: int, source: str, key: str | None) -> bool:
    """Whether a payment left over from an earlier request is what this request asks for again."""
    if key is not None:
        return top_up.key == key
    return (top_up.amount_cents, top_up.source) == (amount_cents, source)


@atomic_and_retried
def begin(
    account: Account,
    customer: str,
    amount_cents: int,
    source: str,
    key: str | None,
    check: Callable[[], None],
    *,
    now: datetime,
    came_at: datetime,
) -> tuple[TopUp, bool]:
    """The TopUp to work on and whether it was made just now: the key's own, one left pending, or a new one.

    Raises PaymentInProgress where somebody was at work on one when the request came, or is now.
    """
    account = lock_account(account)
    if account.user_id is None:  # deleted a moment ago: no card of theirs is charged any more
        raise NotFound
    check()
    known = account.top_ups.filter(key=key).first() if key else None
    if known and (known.amount_cents, known.source) != (amount_cents, source):
        raise KeyReused
    if known and known.status != TopUp.Status.PENDING:
        return known, False
    if account.top_ups.filter(in_flight_until__gt=came_at).exists():
        raise PaymentInProgress
    pending = account.top_ups.filter(status=TopUp.Status.PENDING).first()
    if pending:
        pending.in_flight_until = now + IN_FLIGHT
        pending.save(update_fields=["in_flight_until"])
        return pending, False
    top_up = TopUp.objects.create(
        account=account,
        customer=customer,
        source=source,
        amount_cents=amount_cents,
        key=key,
        in_flight_until=now + IN_FLIGHT,
        created_at=now,
    )
    return top_up, True


def finish_left(top_up: TopUp, *, now: datetime) -> None:
    """Finishes a TopUp that was left pending, as the person's next request would. One that somebody works on is let be.

    Raises PaymentsUnavailable.
    """
    if claim_top_up(top_up, now=now):
        with suppress(UnknownSource):  # it is refused then, and there is nobody to be told so
            finish(top_up, look_first=True)


@atomic_and_retried
def claim_top_up(top_up: TopUp, *, now: datetime) -> bool:
    """Whether a left one is ours to finish now. Under the account's lock, as `begin` is: two never both have it."""
    lock_account(top_up.account)
    left = TopUp.objects.filter(pk=top_up.pk, status=TopUp.Status.PENDING).exclude(in_flight_until__gt=now)
    return bool(left.update(in_flight_until=now + IN_FLIGHT, try_at=now))


def finish(top_up: TopUp, *, look_first: bool) -> TopUp:
    """Brings a pending TopUp to an end, and gives it as it then is.

    Where the payment service fails, or whether it was charged is unsure, it stays pending, and free for the next one;
    where the service refuses what the operator has set up, it is refused.
    """
    try:
        cancel_waiting(top_up)
        with forgetting(top_up.customer):
            payment = find_or_charge(top_up, look_first=look_first)
    except (CardDeclined, CardsRefusedTooOften, CustomerGone, UnknownSource, UnusableSource) as error:
        return refuse_card(top_up, error)
    except BaseException as error:
        if isinstance(error, PaymentsMisconfigured) and not isinstance(error, PaymentUnsure):
            end_work(refuse(top_up, str(error.detail)))
        else:
            TopUp.objects.filter(pk=top_up.pk, status=TopUp.Status.PENDING).update(in_flight_until=None)
        raise
    failpoint("after_charge")
    settled = settle(top_up, payment)
    failpoint("after_post")
    end_work(settled)
    return settled


def end_work(top_up: TopUp) -> None:
    """After the commit, so that no request comes in between which sees neither that it is under way nor that it was."""
    TopUp.objects.filter(pk=top_up.pk).update(in_flight_until=timezone.now())


def refuse_card(top_up: TopUp, error: APIException) -> TopUp:
    """Raises UnknownSource where the client named a card that does not exist: 404, not the bank's refusal."""
    if isinstance(error, UnknownSource):
        forget_card(DetachedPaymentMethod(top_up.card))
    refused = refuse(top_up, GONE if isinstance(error, CustomerGone) else str(error.detail))
    end_work(refused)
    if top_up.source and isinstance(error, UnknownSource):
        raise error
    return refused


def find_or_charge(top_up: TopUp, *, look_first: bool) -> Payment:
    """A key that Stripe knows with other parameters, as after a deploy, may have charged: it is looked up, too."""
    if look_first:
        found = find(top_up)
        if found:
            return found
        if top_up.account.user is None or timezone.now() - top_up.created_at > TRY_FOR:
            raise UnusableSource(EXPIRED)
    customer, cents, card = top_up.customer, top_up.amount_cents, card_of(top_up)
    try:
        with counting_refusals(user=top_up.account.user, customer=customer, amount_cents=cents):
            return payments().charge(customer=customer, source=card, amount_cents=cents, top_up=str(top_up.pk))
    except IdempotencyConflict:
        found = find(top_up)
        if found is None:
            raise
        return found


def find(top_up: TopUp) -> Payment | None:
    """The payment at Stripe. Where Stripe refuses to say and it may have been charged: PaymentUnsure, and after three
    days PaymentNeverFound."""
    try:
        return payments().find_payment(customer=top_up.customer, top_up=str(top_up.pk), since=top_up.created_at)
    except PaymentsMisconfigured as error:
        if not top_up.card:  # without one nothing was ever charged
            raise
        is_early = timezone.now() - top_up.created_at < UNSURE_FOR
        raise (PaymentUnsure if is_early else PaymentNeverFound) from error


def card_of(top_up: TopUp) -> str:
    """The card to charge, the same at every try: the default one may be replaced in between."""
    if not top_up.card:
        default = None if top_up.source else payments().default_card(customer=top_up.customer)
        if not top_up.source and default is None:
            if top_up.account.user:
                forget_default(top_up.account.user)
            raise NoCard
        top_up.card = default.id if default else top_up.source
        top_up.save(update_fields=["card"])
    return top_up.card


def cancel_waiting(top_up: TopUp) -> None:
    """A payment that waits for its owner's consent gives way to the next one, unless it went through meanwhile."""
    for waiting in TopUp.objects.filter(account=top_up.account_id, status=TopUp.Status.CONSENT):
        cancel(waiting)


def cancel(waiting: TopUp) -> None:
    """Asks no more for consent. Money that has come meanwhile is posted."""
    try:
        payment = payments().cancel(payment=waiting.payment)
    except UnknownSource:  # made at another account of Stripe's, or in the sandbox
        payment = Payment(waiting.payment, waiting.amount_cents, currency="usd", status="canceled")
    settle(waiting, payment)


@atomic_and_retried
def settle(top_up: TopUp, payment: Payment) -> TopUp:
    """Writes what became of a payment. Money that came in is posted, once, however the TopUp had ended before."""
    account, now = lock_account(top_up.account), timezone.now()
    top_up = TopUp.objects.get(pk=top_up.pk)
    if top_up.status == TopUp.Status.SUCCEEDED:
        return top_up
    was_pending = top_up.status == TopUp.Status.PENDING
    if payment.status == "succeeded" and payment.currency == CURRENCY:
        collect(top_up, payment, account)
    else:
        top_up.status, top_up.client_secret, top_up.message = outcome(payment)
    if was_pending:  # whoever works on it says themself when they have ended
        top_up.in_flight_until = max(top_up.in_flight_until or now, now)
    top_up.payment = payment.id
    top_up.save()
    tell_of_top_up(top_up)
    return top_up


def collect(top_up: TopUp, payment: Payment, account: Account) -> None:
    """Posts what was received, which is less than was asked for where less was captured."""
    top_up.entry = post_entry(
        account=account,
        kind=LedgerEntry.Kind.TOP_UP,
        amount_micros=payment.received_cents * MICROS_PER_CENT,
        reference=f"stripe:{payment.id}",
        memo="Money added by card",
    )
    failpoint("after_entry")  # not committed yet
    top_up.status, top_up.client_secret, top_up.message = TopUp.Status.SUCCEEDED, "", ""
    top_up.captured_cents = payment.received_cents if payment.received_cents != top_up.amount_cents else None


def outcome(payment: Payment) -> tuple[TopUp.Status, str, str]:
    """Status, client secret and message of a payment that brought no money. Raises PaymentsUnavailable."""
    if payment.status == "requires_action":
        return TopUp.Status.CONSENT, payment.client_secret, CONSENT  # not why an earlier try of it failed
    if payment.status == "requires_capture":
        return TopUp.Status.CONSENT, "", RESERVED
    if payment.status in ("requires_payment_method", "canceled"):
        return TopUp.Status.REFUSED, "", payment.message or EXPIRED
    if payment.status == "succeeded":
        in_other_currency("payment", payment.id, payment.currency)
        return TopUp.Status.REFUSED, "", OTHER_CURRENCY
    raise BankUndecided


def apply_payment(payment: Payment) -> str:
    """What Stripe told about a payment, or why nothing follows. A failure come after the success changes nothing."""
    top_up = top_up_of(payment)
    if top_up is None:
        logger.warning("Stripe payment %s belongs to no top-up of ours", payment.id)
        return NOT_OURS
    is_open = top_up.status in (TopUp.Status.PENDING, TopUp.Status.CONSENT)
    if payment.status == "succeeded" or (is_open and payment.status not in UNDECIDED):
        settle(top_up, payment)
    is_foreign = payment.status == "succeeded" and payment.currency != CURRENCY
    return in_other_currency("payment", payment.id, payment.currency) if is_foreign else ""


def top_up_of(payment: Payment) -> TopUp | None:
    try:
        return TopUp.objects.filter(pk=UUID(payment.top_up)).first()
    except ValueError:
        return TopUp.objects.filter(payment=payment.id).first()


def make_sure_of(payment: str) -> None:
    """Posts a payment whose success we have not heard of yet. Raises PaymentsUnavailable."""
    if not payment or entry_of_payment(payment):
        return
    try:
        apply_payment(payments().retrieve_payment(payment=payment))
    except UnknownSource:
        logger.warning("Stripe knows no payment %s", payment)


@atomic_and_retried
def refuse(top_up: TopUp, message: str) -> TopUp:
    lock_account(top_up.account)
    TopUp.objects.filter(pk=top_up.pk, status=TopUp.Status.PENDING).update(
        status=TopUp.Status.REFUSED, message=message[:500]
    )
    refused = TopUp.objects.get(pk=top_up.pk)
    tell_of_top_up(refused)
    return refused
