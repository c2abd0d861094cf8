"""What must be true of the ledger at any moment. `manage.py check_ledger` proves it.

Each check reads its rows in parts (`parts.py`), and each part by one statement, so that it is true of one moment though
money moves meanwhile. What an upper app's rows must say of the ledger that app proves itself (`proves`).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Value, Window
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Concat, Lag

from billing.audit.guards import constraints, refusals
from billing.audit.parts import parts
from billing.audit.report import MOST_NAMED, Finding
from billing.models import Dispute, LedgerEntry, StripeEvent, TopUp
from core.deadline import is_over
from core.wire import MICROS_PER_CENT
from users.models import User

TOO_LONG = timedelta(hours=1)
Kind = LedgerEntry.Kind
Tell = Callable[[Finding], None]
"""Is told of a check after each part of it."""
PROOFS: list[Callable[[Tell], Iterable[Finding]]] = []


def proves(proof: Callable[[Tell], Iterable[Finding]]) -> Callable[[Tell], Iterable[Finding]]:
    """Lets an upper app prove what must be true of its own rows and the ledger's."""
    PROOFS.append(proof)
    return proof


@dataclass(frozen=True, slots=True)
class Check:
    """`wrong_of` finds, among a part of the rows, those of which it is not true. They are parted by `column`."""

    title: str
    rows: QuerySet[Any]
    wrong_of: Callable[[QuerySet[Any]], QuerySet[Any]]
    column: str = "pk"
    is_warning: bool = False


def check_ledger(*, now: datetime, tell: Tell = lambda _: None) -> Iterator[Finding]:
    """In the order of the table, each as soon as it is known. What the time does not suffice for is not whole."""
    for check in checks(now=now):
        yield prove(check, tell)
    for proof in PROOFS:
        yield from proof(tell)
    yield refusals()
    yield constraints()


def checks(*, now: datetime) -> Iterator[Check]:
    entries, top_ups = LedgerEntry.objects.all(), TopUp.objects.all()
    pending = top_ups.filter(status=TopUp.Status.PENDING)
    succeeded = top_ups.filter(status=TopUp.Status.SUCCEEDED)
    yield Check("every balance is the one before it and the amount", entries, broken_balances, column="account_id")
    yield Check("every person's balance is their account's last", User.objects.all(), stale_balances)
    yield Check("every top-up that succeeded has its entry", succeeded, unposted_top_ups)
    yield Check("every top-up entry has its top-up", entries.filter(kind=Kind.TOP_UP), orphans)
    yield Check("no payment is in two top-ups", top_ups.exclude(payment=""), shared_payments)
    yield Check("every dispute is on its payment's account", Dispute.objects.all(), strayed_disputes)
    yield Check("every refund is on its payment's account", refunds_told(), strayed_refunds)
    late = Q(created_at__lt=now - TOO_LONG)
    yield Check("no payment is pending for over an hour", pending, lambda part: part.filter(late), is_warning=True)


def prove(check: Check, tell: Tell) -> Finding:
    finding = Finding(check.title, is_warning=check.is_warning)
    for part in parts(check.rows, check.column):
        if is_over():
            finding.is_whole = False
            break
        rows = part.of(check.rows)
        wrong = check.wrong_of(rows).order_by("pk")
        count = wrong.count()
        finding.add(rows.count(), count, wrong.values_list("pk", flat=True)[:MOST_NAMED] if count else ())
        tell(finding)
    return finding


def broken_balances(entries: QuerySet[LedgerEntry]) -> QuerySet[LedgerEntry]:
    """If each step is right so is each sum; and of a wrong step only its entry is named, not all that follow.

    A part has all entries of its accounts: the first of each follows on nothing.
    """
    before = Window(Lag("balance_after_micros", default=0), partition_by="account", order_by="id")
    steps = entries.annotate(before=before)
    return steps.exclude(balance_after_micros=F("before") + F("amount_micros"))


def stale_balances(people: QuerySet[User]) -> QuerySet[User]:
    """By all their accounts at once: to look for each person's newest entry took minutes where most have none."""
    theirs = LedgerEntry.objects.filter(account__user__in=people.values("pk"))
    newest = theirs.values("account").annotate(newest=Max("pk")).values("newest")
    shown = Coalesce("account__user__account_balance_micros", 0)
    last = LedgerEntry.objects.filter(pk__in=newest)
    differing = last.exclude(balance_after_micros=shown).values("account__user")
    posted = LedgerEntry.objects.filter(account__user=OuterRef("pk"))
    has_money = people.exclude(account_balance_micros=None).exclude(account_balance_micros=0)
    without_entries = has_money.filter(~Exists(posted)).values("pk")
    return people.filter(Q(pk__in=differing) | Q(pk__in=without_entries))


def unposted_top_ups(succeeded: QuerySet[TopUp]) -> QuerySet[TopUp]:
    as_it_should_be = Q(
        entry__kind=Kind.TOP_UP,
        entry__account=F("account"),
        entry__amount_micros=Coalesce("captured_cents", "amount_cents") * MICROS_PER_CENT,
        entry__reference=stripes("payment"),
    )
    return succeeded.exclude(pk__in=succeeded.filter(as_it_should_be).values("pk"))


def orphans(entries: QuerySet[LedgerEntry]) -> QuerySet[LedgerEntry]:
    """There is none that needs no top-up: money from before this server came in as opening balances."""
    return entries.filter(top_up=None)


def shared_payments(top_ups: QuerySet[TopUp]) -> QuerySet[TopUp]:
    """The other may be in any part."""
    return top_ups.filter(Exists(TopUp.objects.filter(payment=OuterRef("payment")).exclude(pk=OuterRef("pk"))))


def strayed_disputes(disputes: QuerySet[Dispute]) -> QuerySet[Dispute]:
    moved = LedgerEntry.objects.filter(reference__in=(stripes(OuterRef("pk")), stripes(OuterRef("pk"), ":won")))
    paid = entries_of(OuterRef("payment"))
    return disputes.filter(
        Exists(moved.exclude(account=OuterRef("account"))) | ~Exists(paid.filter(account=OuterRef("account")))
    )


def refunds_told() -> QuerySet[StripeEvent]:
    """Only Stripe's events say which payment a refund is of: of one that none told about nothing can be told here."""
    told = {
        field: KeyTextTransform(field, KeyTextTransform("object", KeyTextTransform("data", "payload")))
        for field in ("id", "payment_intent")
    }
    events = StripeEvent.objects.filter(type__startswith="refund.")
    return events.annotate(refund=told["id"], refunded=told["payment_intent"])


def strayed_refunds(told: QuerySet[StripeEvent]) -> QuerySet[StripeEvent]:
    refund = entries_of(OuterRef("refund")).values("account")
    payment = entries_of(OuterRef("refunded")).values("account")
    posted = told.annotate(on=Subquery(refund), paid_on=Coalesce(Subquery(payment), 0)).exclude(on=None)
    return posted.exclude(on=F("paid_on"))


def entries_of(name: Any) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(reference=stripes(name))


def stripes(name: Any, end: str = "") -> Concat:
    """The reference of one of Stripe's things."""
    return Concat(Value("stripe:"), name, Value(end), output_field=models.TextField())
