"""What our tables say, held against Stripe's own books and against what clients were told."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg2  # type: ignore[import-untyped]  # it carries no types
from psycopg2.extras import NamedTupleCursor

from bench.chaos.clients import Client, Promise, Refusal
from tests.doubles.stripe_objects import Thing

MICROS = 10_000  # in a cent
ENTRIES = """
SELECT entry.reference, entry.account_id, entry.kind, entry.amount_micros, entry.balance_after_micros,
       users.id AS person, users."stripeId" AS customer, users."accountBalance" AS balance
FROM "ledgerEntries" AS entry JOIN accounts ON accounts.id = entry.account_id
JOIN users ON users.id = accounts.user_id ORDER BY entry.id
"""
TOP_UPS = 'SELECT id, status FROM "topUps"'
PENDING = """SELECT count(*) FROM "topUps" WHERE status = 'pending'"""


def read(url: str, query: str) -> list[Any]:
    with closing(psycopg2.connect(url, cursor_factory=NamedTupleCursor)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def pending(url: str) -> int:
    return int(read(url, PENDING)[0].count)


@dataclass(frozen=True)
class Books:
    """Each check gives one line for each difference."""

    entries: list[Any]
    top_ups: list[Any]
    taken: list[Thing]
    """The payments for which Stripe charged a card."""
    promises: list[Promise]
    refusals: list[Refusal]

    @classmethod
    def of(cls, url: str, taken: list[Thing], clients: list[Client]) -> "Books":
        promises = [each for client in clients for each in client.promises]
        refusals = [each for client in clients for each in client.refusals]
        return cls(read(url, ENTRIES), read(url, TOP_UPS), taken, promises, refusals)

    def differences(self) -> dict[str, list[str]]:
        return {
            "acknowledged and lost": list(self.lost()),
            "charged and unrecorded": list(self.unrecorded()),
            "charged or recorded twice": list(self.twice()),
            "recorded and not charged": list(self.uncharged()),
            "declined and charged": list(self.charged_all_the_same()),
            "still pending": [f"top-up {each.id}" for each in self.top_ups if each.status == "pending"],
            "sums that do not fit": list(self.sums()),
        }

    def lost(self) -> Iterator[str]:
        """What was told to a client is there: this amount, and this balance after it or this payment."""
        balances = {(each.person, each.amount_micros, each.balance_after_micros) for each in self.entries}
        payments = {(each.person, each.amount_micros, each.reference) for each in self.entries}
        for each in self.promises:
            who, amount = each.person.id, each.cents * MICROS
            named = (who, amount, each.balance_micros), (who, amount, f"stripe:{each.payment}")
            if named[0] not in balances and named[1] not in payments:
                yield f"person {who} was told of {each.cents} cents: {each.payment or each.balance_micros}"

    def unrecorded(self) -> Iterator[str]:
        recorded = {(each.reference, each.customer, each.amount_micros) for each in self.entries}
        for each in self.taken:
            if (f"stripe:{each['id']}", each["customer"], each["amount"] * MICROS) not in recorded:
                yield f"{each['id']} of {each['customer']}: {each['amount']} cents, top-up {each['metadata']}"

    def uncharged(self) -> Iterator[str]:
        charged = {f"stripe:{each['id']}" for each in self.taken}
        return (f"{each.reference}: {each.amount_micros}" for each in self.entries if each.reference not in charged)

    def charged_all_the_same(self) -> Iterator[str]:
        charged = {(each["customer"], each["amount"]) for each in self.taken}
        for each in self.refusals:
            if (each.person.customer, each.cents) in charged:
                yield f"person {each.person.id}: {each.cents} cents"

    def twice(self) -> Iterator[str]:
        """No amount of a person's is wished for twice, so that none may be charged, or recorded, twice."""
        counts = {
            "charged for one top-up": Counter(each["metadata"].get("topUp") for each in self.taken),
            "charged for one wish": Counter((each["customer"], each["amount"]) for each in self.taken),
            "recorded for one wish": Counter((each.customer, each.amount_micros // MICROS) for each in self.entries),
        }
        for what, count in counts.items():
            yield from (f"{number} x {what}: {thing}" for thing, number in count.items() if number > 1)

    def sums(self) -> Iterator[str]:
        """Each balance is the sum of its entries, at each of them and in the end; all of them are Stripe's sum."""
        balances: Counter[int] = Counter()
        for each in self.entries:
            balances[each.account_id] += each.amount_micros
            if each.balance_after_micros != balances[each.account_id]:
                yield f"{each.reference}: {each.balance_after_micros} after it, not {balances[each.account_id]}"
        for account, person, balance in {(each.account_id, each.person, each.balance) for each in self.entries}:
            if balance != balances[account]:
                yield f"person {person} is shown {balance}, and has {balances[account]}"
        charged = sum(each["amount"] for each in self.taken) * MICROS
        if balances.total() != charged:
            yield f"Stripe has charged {charged}, the ledger holds {balances.total()}"
