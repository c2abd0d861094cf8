"""Posting: the one way money moves.

Lock order, everywhere: the account first, then (by a plain UPDATE) the person's row.
"""

from collections.abc import Callable
from uuid import uuid4

from django.db import transaction
from rest_framework.exceptions import APIException

from billing.models import Account, LedgerEntry
from core.transactions import atomic_and_retried
from users.models import User

HOLDERS: list[Callable[[Account], int]] = []


class MoneyReserved(APIException):
    status_code = 409
    default_code = "money_reserved"
    default_detail = "A refund of this money is under way. Try again when it is made, or take less."


def account_of(user: User) -> Account:
    """The person's account, opened now where there is none; without a query where it was fetched with the person."""
    known: Account | None = getattr(user, "account", None)
    return known or Account.objects.get_or_create(user=user)[0]


def lock_account(account: Account) -> Account:
    return Account.objects.select_for_update(no_key=True).get(pk=account.pk)


def entry_of_payment(payment: str) -> LedgerEntry | None:
    """What a payment at Stripe has brought, once it is posted."""
    entries = LedgerEntry.objects.filter(reference=f"stripe:{payment}", kind=LedgerEntry.Kind.TOP_UP)
    return entries.select_related("account", "top_up").first()


@transaction.atomic(savepoint=False)
def post_entry(
    *,
    account: Account,
    kind: LedgerEntry.Kind,
    amount_micros: int,
    reference: str,
    memo: str,
    group_id: int | None = None,
) -> LedgerEntry:
    """Posts one movement and the new balance, together. A reference that is posted already gives that entry back."""
    account = lock_account(account)
    posted = LedgerEntry.objects.filter(reference=reference).first()
    if posted:
        return posted
    balance = account.balance_micros() + amount_micros
    entry = LedgerEntry.objects.create(
        account=account,
        kind=kind,
        amount_micros=amount_micros,
        balance_after_micros=balance,
        reference=reference,
        memo=memo,
        group_id=group_id,
    )
    User.objects.filter(account=account).update(account_balance_micros=balance)
    return entry


@atomic_and_retried
def set_balance(*, user: User, balance_micros: int, memo: str, check: Callable[[], None] = lambda: None) -> None:
    """Posts what is between the balance and the wished one as an adjustment; nothing where they are equal.

    Raises MoneyReserved.
    """
    account = lock_account(account_of(user))
    check()
    difference = balance_micros - account.balance_micros()
    if difference:
        adjust(account=account, amount_micros=difference, reference=f"adjustment:{uuid4()}", memo=memo)


@atomic_and_retried
def adjust(
    *, account: Account, amount_micros: int, reference: str, memo: str, check: Callable[[], None] = lambda: None
) -> LedgerEntry:
    """Adds an amount by hand, or takes it away: what a refund that is under way will take is not there for that.

    `check` may refuse it under the account's lock. Raises MoneyReserved.
    """
    account = lock_account(account)
    check()
    reserved = account.reserved_micros() if amount_micros < 0 else 0
    is_posted = LedgerEntry.objects.filter(reference=reference).exists()
    if reserved and not is_posted and account.balance_micros() + amount_micros < reserved:
        raise MoneyReserved
    return post_entry(
        account=account,
        kind=LedgerEntry.Kind.ADJUSTMENT,
        amount_micros=amount_micros,
        reference=reference,
        memo=memo,
    )


def holds_money(holder: Callable[[Account], int]) -> Callable[[Account], int]:
    """Lets an upper app say what it holds of an account's balance, in micro-dollars. It is asked under its lock."""
    HOLDERS.append(holder)
    return holder


def held_micros(account: Account) -> int:
    """What the upper apps hold of the balance: it is spent, and not yet posted."""
    return sum(holder(account) for holder in HOLDERS)
