"""What a person's whole story tells of their money."""

from collections.abc import Callable
from typing import Any

from django.db.models import Subquery

from billing.admin.accounts import UNDER_WAY, good_until, newest_balance
from billing.admin.columns import exact_dollars
from billing.admin.movements import OF_PERSON
from billing.models import Account, Card, CardRefusal, Dispute, LedgerEntry, RefundRequest, TopUp
from core.wire import MICROS_PER_CENT
from users.operators.story import Part, bdi, in_story, linked, listed, newest, on_page


def of_account(person_id: int) -> str:
    return f"{OF_PERSON}={person_id}"


def cents(row: Any) -> str | None:
    return exact_dollars(row.amount_cents and row.amount_cents * MICROS_PER_CENT)


ASKED: dict[str, Callable[[Any], Any]] = {
    "at": lambda row: row.created_at,
    "amount": lambda row: linked(row, cents(row)),
}
"""Columns of whatever money is open."""


@in_story("Money", Account)
def account(person_id: int) -> Part:
    columns: dict[str, Callable[[Any], Any]] = {
        "account": lambda row: linked(row, f"#{row.pk}"),
        "balance": lambda row: exact_dollars(row.balance_now),
        "customer at Stripe": lambda row: row.user.stripe_id,
        "since": lambda row: row.created_at,
    }
    rows = Account.objects.filter(user=person_id).select_related("user").annotate(balance_now=newest_balance())
    return newest("Account", rows, columns)


@in_story("Money", LedgerEntry)
def movements(person_id: int) -> Part:
    columns: dict[str, Callable[[Any], Any]] = {
        "at": lambda row: row.created_at,
        "kind": lambda row: linked(row, row.get_kind_display()),
        "amount": lambda row: exact_dollars(row.amount_micros),
        "balance after": lambda row: exact_dollars(row.balance_after_micros),
        "memo": lambda row: bdi(row.memo),
    }
    theirs = Subquery(Account.objects.filter(user=person_id).values("pk")[:1])  # known first: there is an index by it
    rows = LedgerEntry.objects.filter(account=theirs)
    return newest("Movements of money", rows, columns, listed(LedgerEntry, of_account(person_id)))


@in_story("Money", TopUp)
def payments_under_way(person_id: int) -> Part:
    columns = {**ASKED, "state": lambda row: row.get_status_display(), "payment": lambda row: row.payment}
    rows = TopUp.objects.filter(account__user=person_id, status__in=UNDER_WAY)
    return newest("Payments that are open", rows, columns, listed(TopUp, of_account(person_id)), by="-created_at")


@in_story("Money", RefundRequest)
def refunds_under_way(person_id: int) -> Part:
    columns = {**ASKED, "asked of Stripe": lambda row: row.asked_at}
    rows = RefundRequest.objects.filter(account__user=person_id, status=RefundRequest.Status.PENDING)
    every = listed(RefundRequest, of_account(person_id))
    return newest("Refunds that are open", rows, columns, every, by="-created_at")


@in_story("Money", Dispute)
def open_disputes(person_id: int) -> Part:
    columns = {**ASKED, "state": lambda row: row.status, "payment": lambda row: row.payment}
    rows = Dispute.objects.open().filter(account__user=person_id)
    return newest("Disputes that are open", rows, columns, listed(Dispute, of_account(person_id)), by="-created_at")


@in_story("Money", Card)
def cards(person_id: int) -> Part:
    columns: dict[str, Callable[[Any], Any]] = {
        "card": lambda row: f"{row.brand} {row.last4}",
        "until": good_until,
        "default": lambda row: "yes" if row.is_default else "no",
        "since": lambda row: row.created_at,
    }
    return newest("Cards", Card.objects.filter(user=person_id), columns, on_page(person_id, "cards"), by="-created_at")


@in_story("Money", CardRefusal)
def refused_cards(person_id: int) -> Part:
    columns: dict[str, Callable[[Any], Any]] = {
        "at": lambda row: row.created_at,
        "amount": cents,
        "why": lambda row: linked(row, bdi(row.why)),
    }
    rows = CardRefusal.objects.filter(user=person_id)
    return newest("Refused cards", rows, columns, listed(CardRefusal, f"user__id__exact={person_id}"))
