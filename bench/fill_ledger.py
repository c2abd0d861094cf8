"""Fills a migrated, empty database with a ledger: 1,000 people who call often and pay now and then."""

import random
from collections.abc import Iterator, Sequence
from itertools import count, islice

from django.db import connection
from django.db.models import OuterRef, Subquery

from billing.models import Account, LedgerEntry, StripeEvent, TopUp
from users.models import User

ACCOUNTS, CHUNK = 1_000, 10_000
PAYS, IS_REFUNDED = 20, 400
"""Of so many entries one is a payment, and one a refund."""


def fill(entries: int) -> None:
    """As the server would have posted it."""
    people = User.objects.bulk_create(
        User(email=f"person{number}@example.com", display_name=f"Person {number}") for number in range(ACCOUNTS)
    )
    accounts = Account.objects.bulk_create(Account(user=user) for user in people)
    posting = movements(accounts, random.Random(20260101))
    for start in range(0, entries, CHUNK):
        posted = LedgerEntry.objects.bulk_create(islice(posting, min(CHUNK, entries - start)))
        TopUp.objects.bulk_create(top_up_of(entry) for entry in posted if entry.kind == LedgerEntry.Kind.TOP_UP)
        StripeEvent.objects.bulk_create(event_of(entry) for entry in posted if entry.kind == LedgerEntry.Kind.REFUND)
    newest = LedgerEntry.objects.filter(account__user=OuterRef("pk")).order_by("-id").values("balance_after_micros")
    User.objects.update(account_balance_micros=Subquery(newest[:1]))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as its autovacuum would have done by the time anybody checks


def movements(accounts: Sequence[Account], chance: random.Random) -> Iterator[LedgerEntry]:
    balances = dict.fromkeys((account.pk for account in accounts), 0)
    paid: list[Account] = []
    for number in count(1):
        account = chance.choice(accounts)
        kind, reference = LedgerEntry.Kind.CALL, f"twilio:CA{number:032}"
        micros = -chance.randrange(10_300, 1_000_000)
        if number % IS_REFUNDED == 0:
            account = paid[-1]
            kind, reference, micros = LedgerEntry.Kind.REFUND, f"stripe:re_{number:024}", -5_000_000
        elif number % PAYS == 0:
            paid.append(account)
            kind, reference, micros = LedgerEntry.Kind.TOP_UP, f"stripe:pi_{number:024}", 20_000_000
        balances[account.pk] += micros
        yield LedgerEntry(
            account=account,
            kind=kind,
            amount_micros=micros,
            balance_after_micros=balances[account.pk],
            reference=reference,
            memo="Call of 3 min in Family" if kind == LedgerEntry.Kind.CALL else "Money added by card",
        )


def top_up_of(entry: LedgerEntry) -> TopUp:
    return TopUp(
        account_id=entry.account_id,
        customer=f"cus_{entry.account_id}",
        amount_cents=2_000,
        status=TopUp.Status.SUCCEEDED,
        payment=entry.reference.removeprefix("stripe:"),
        entry=entry,
    )


def event_of(entry: LedgerEntry) -> StripeEvent:
    """The payment is the one before: see `movements`."""
    name = entry.reference.removeprefix("stripe:")
    payment = f"pi_{int(name.removeprefix('re_')) - PAYS:024}"
    refund = {"id": name, "object": "refund", "amount": 500, "payment_intent": payment, "status": "succeeded"}
    payload = {"id": f"evt_{name}", "object": "event", "type": "refund.created", "data": {"object": refund}}
    return StripeEvent(pk=f"evt_{name}", type="refund.created", payload=payload, applied_at=entry.created_at)
