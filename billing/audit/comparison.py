"""Stripe's payments, refunds and disputes beside the ledger's entries, both ways.

Stripe's clock and ours differ, and money moves while we look: so what one side has in the period and the other has not
is asked about singly before it counts as a difference.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from billing import top_ups, webhook
from billing.audit.report import Line, Report
from billing.gateway.interface import CURRENCY, DisputeReport, Payment, Refund, UnknownSource, payments
from billing.ledger import entry_of_payment
from billing.models import LedgerEntry, TopUp
from billing.refunds import is_release
from core.wire import MICROS_PER_CENT, dollars

MOST_ASKED = 200
"""So many entries that Stripe did not list are asked about in one run."""
Thing = Payment | Refund | DisputeReport
Kind = LedgerEntry.Kind


def expected(thing: Thing) -> dict[str, int]:
    """The ledger's references and micro-dollars that follow from what Stripe has."""
    name = f"stripe:{thing.id}"
    if thing.currency != CURRENCY:
        cents = {}
    elif isinstance(thing, Payment):
        cents = {name: thing.received_cents}
    elif isinstance(thing, Refund):
        cents = {} if is_rest(thing) else refunded(thing, name)
    else:
        cents = {name: -thing.withdrawn_cents, f"{name}:won": thing.reinstated_cents}
    return {reference: amount * MICROS_PER_CENT for reference, amount in cents.items() if amount}


def refunded(refund: Refund, name: str) -> dict[str, int]:
    return {name: -refund.amount_cents, f"{name}:failed": refund.amount_cents if refund.came_back else 0}


def is_rest(refund: Refund) -> bool:
    entry = entry_of_payment(refund.payment)
    return entry is not None and is_release(refund, entry)


def moves_money(thing: Thing) -> bool:
    return not isinstance(thing, Payment) or thing.status == "succeeded"


class Comparison:
    def __init__(self, report: Report, since: datetime) -> None:
        self.report, self.since = report, since
        entries = LedgerEntry.objects.filter(reference__startswith="stripe:", created_at__gte=since)
        self.entries = {entry.reference: entry for entry in entries.order_by("id")}
        self.found: set[str] = set()
        self.ours: dict[str, bool] = {}

    def run(self) -> None:
        stripe = payments()
        complete = [
            self.compare("payments at Stripe", stripe.payments_since(self.since)),
            self.compare("refunds at Stripe", stripe.refunds_since(self.since)),
            self.compare("disputes at Stripe", stripe.disputes_since(self.since)),
        ]
        line = self.report.line("entries in the ledger")
        line.looked_at = len(self.entries)
        if all(complete):
            self.ask_about_the_others(line)
        else:
            line.left.append("not compared, for Stripe did not list all that it has")

    def compare(self, title: str, things: Iterable[Thing]) -> bool:
        """Whether Stripe has listed all of them."""
        line = self.report.line(title)

        def all_of_them() -> None:
            for thing in things:
                line.looked_at += 1
                line.attempt(thing.id, partial(self.look_at, thing, line))

        return line.attempt("the list", all_of_them)

    def look_at(self, thing: Thing, line: Line) -> None:
        """Posts what is missing, and says what it cannot put right."""
        if not self.is_ours(thing):
            self.report.foreign += 1
            return
        if thing.currency != CURRENCY and moves_money(thing):
            line.left.append(f"stripe:{thing.id}: in {thing.currency.upper()}, which is not posted as dollars")
        wanted = expected(thing)
        self.found |= wanted.keys()
        if any(self.posted(reference) is None for reference in wanted):
            if not isinstance(thing, Payment):
                top_ups.make_sure_of(thing.payment)
            webhook.FOLLOWED[type(thing)](thing)
            line.put_right += all(self.posted(reference) is not None for reference in wanted)
        for reference, micros in wanted.items():
            differs(line, reference, self.posted(reference), micros)

    def is_ours(self, thing: Thing) -> bool:
        """A payment is if it carries a top-up's id, or is a top-up's; a refund or dispute is if its payment is."""
        if isinstance(thing, Payment):
            self.ours[thing.id] = bool(thing.top_up) or TopUp.objects.filter(payment=thing.id).exists()
            return self.ours[thing.id]
        if thing.payment not in self.ours:
            self.ours[thing.payment] = bool(entry_of_payment(thing.payment)) or carries_a_top_up(thing.payment)
        return self.ours[thing.payment]

    def posted(self, reference: str) -> int | None:
        entry = self.entries.get(reference) or LedgerEntry.objects.filter(reference=reference).first()
        return entry.amount_micros if entry else None

    def ask_about_the_others(self, line: Line) -> None:
        others = [entry for reference, entry in self.entries.items() if reference not in self.found]
        for entry in others[:MOST_ASKED]:
            line.attempt(entry.reference, partial(self.ask_about, entry, line))
        if others[MOST_ASKED:]:
            line.left.append(f"{len(others) - MOST_ASKED} more that Stripe did not list, and was not asked about")

    def ask_about(self, entry: LedgerEntry, line: Line) -> None:
        thing = thing_of(entry)
        wanted = expected(thing) if thing else {}
        differs(line, entry.reference, entry.amount_micros, wanted.get(entry.reference))


def carries_a_top_up(payment: str) -> bool:
    try:
        return bool(payment and payments().retrieve_payment(payment=payment).top_up)
    except UnknownSource:
        return False


def thing_of(entry: LedgerEntry) -> Thing | None:
    """What Stripe has under the entry's reference."""
    name = entry.reference.split(":")[1]
    try:
        if entry.kind == Kind.TOP_UP:
            return payments().retrieve_payment(payment=name)
        if entry.kind == Kind.REFUND:
            return payments().retrieve_refund(refund=name)
        return payments().retrieve_dispute(dispute=name)
    except UnknownSource:
        return None


def differs(line: Line, reference: str, posted: int | None, wanted: int | None) -> None:
    if posted != wanted:
        here, there = ("nothing" if micros is None else dollars(micros) for micros in (posted, wanted))
        line.left.append(f"{reference}: the ledger has {here}, Stripe {there}")
