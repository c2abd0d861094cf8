"""Posting: the one way money moves.

Lock order, everywhere: the account first, then (by a plain UPDATE) the person's row.
"""

from collections.abc import Callable
from uuid import uuid4

from django.db import transaction

from billing.models import Account, LedgerEntry
from users.models import User


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


@transaction.atomic
def set_balance(*, user: User, balance_micros: int, memo: str, check: Callable[[], None] = lambda: None) -> None:
    """Posts what is between the balance and the wished one as an adjustment; nothing where they are equal."""
    account = lock_account(account_of(user))
    check()
    difference = balance_micros - account.balance_micros()
    if difference:
        post_entry(
            account=account,
            kind=LedgerEntry.Kind.ADJUSTMENT,
            amount_micros=difference,
            reference=f"adjustment:{uuid4()}",
            memo=memo,
        )
