"""What must be true of the ledger at any moment. `manage.py check_ledger` proves it.

Each check is one statement over whole tables, so it is true of one moment though money moves meanwhile. What calls cost
is not checked here: calls are above money in this house (`voice/`), and a group's price is in Twilio's hands until a
day after.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Value, Window
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Concat, Lag

from billing.audit.guards import constraints, refusals
from billing.audit.report import Finding
from billing.models import Dispute, LedgerEntry, StripeEvent, TopUp
from core.wire import MICROS_PER_CENT
from users.models import User

MOST_NAMED = 5
TOO_LONG = timedelta(hours=1)
Kind = LedgerEntry.Kind


def check_ledger(*, now: datetime) -> Iterator[Finding]:
    """In the order of the table, each as soon as it is known."""
    yield from check_rows(now=now)
    yield refusals()
    yield constraints()


def check_rows(*, now: datetime) -> Iterator[Finding]:
    yield rows("every balance is the one before it and the amount", LedgerEntry.objects.all(), broken_balances)
    yield rows("every person's balance is their account's last", User.objects.all(), stale_balances)
    succeeded = TopUp.objects.filter(status=TopUp.Status.SUCCEEDED)
    yield rows("every top-up that succeeded has its entry", succeeded, unposted_top_ups)
    yield rows("every top-up entry has its top-up", LedgerEntry.objects.filter(kind=Kind.TOP_UP), orphans)
    yield rows("no payment is in two top-ups", TopUp.objects.exclude(payment=""), shared_payments)
    yield rows("every dispute is on its payment's account", Dispute.objects.all(), strayed_disputes)
    yield rows("every refund is on its payment's account", refunds_told(), strayed_refunds)
    pending = TopUp.objects.filter(status=TopUp.Status.PENDING)
    late = pending.filter(created_at__lt=now - TOO_LONG)
    yield rows("no payment is pending for over an hour", pending, lambda _: late, is_warning=True)


def rows(
    check: str,
    checked: QuerySet[Any],
    wrong_of: Callable[[QuerySet[Any]], QuerySet[Any]],
    *,
    is_warning: bool = False,
) -> Finding:
    wrong = wrong_of(checked).order_by("pk")
    count = wrong.count()
    named = tuple(str(each) for each in wrong.values_list("pk", flat=True)[:MOST_NAMED]) if count else ()
    return Finding(check, checked.count(), count, named, is_warning)


def broken_balances(entries: QuerySet[LedgerEntry]) -> QuerySet[LedgerEntry]:
    """If each step is right so is each sum; and of a wrong step only its entry is named, not all that follow."""
    before = Window(Lag("balance_after_micros", default=0), partition_by="account", order_by="id")
    steps = entries.annotate(before=before)
    return steps.exclude(balance_after_micros=F("before") + F("amount_micros"))


def stale_balances(people: QuerySet[User]) -> QuerySet[User]:
    """By all accounts at once: to look for each person's newest entry took minutes where most have none."""
    newest = LedgerEntry.objects.order_by().values("account").annotate(newest=Max("pk")).values("newest")
    shown = Coalesce("account__user__account_balance_micros", 0)
    last = LedgerEntry.objects.order_by().filter(pk__in=newest, account__user__isnull=False)
    differing = last.exclude(balance_after_micros=shown).values("account__user")
    posted = LedgerEntry.objects.filter(account__user=OuterRef("pk"))
    has_money = people.exclude(account_balance_micros=None).exclude(account_balance_micros=0)
    without_entries = has_money.filter(~Exists(posted)).order_by().values("pk")
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
    shared = top_ups.order_by().values("payment").annotate(count=models.Count("pk")).filter(count__gt=1)
    return top_ups.filter(payment__in=shared.values("payment"))


def strayed_disputes(disputes: QuerySet[Dispute]) -> QuerySet[Dispute]:
    moved = LedgerEntry.objects.filter(reference__in=(stripes(OuterRef("pk")), stripes(OuterRef("pk"), ":won")))
    paid = entries_of(OuterRef("payment"))
    return disputes.filter(
        models.Exists(moved.exclude(account=OuterRef("account")))
        | ~models.Exists(paid.filter(account=OuterRef("account")))
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
