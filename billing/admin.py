"""The operators' view of the money. All of it is read-only: money moves through the ledger's services alone."""

import json
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import BigIntegerField, F, OuterRef, QuerySet, Subquery, Sum, TextField
from django.db.models.functions import Cast, Coalesce
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.html import format_html

from billing.models import Account, LedgerEntry, StripeEvent, TopUp
from groups.admin import group_link, group_name
from users.admin import ReadOnlyAdmin, ReadOnlyInline, person_link, show_on_person
from users.models import User
from users.wire import MICROS_PER_CENT, MICROS_PER_DOLLAR

NEWEST = 100
"""So many entries are shown on an account's page; the list of all entries has the rest."""


def exact_dollars(micros: int | None) -> str | None:
    """Micro-dollars to the last one of them: -8500 is "-$0.0085", 12500000 is "$12.50"."""
    if micros is None:
        return None
    whole, rest = divmod(abs(micros), MICROS_PER_DOLLAR)
    return f"{'-' if micros < 0 else ''}${whole:,}.{f'{rest:06}'.rstrip('0'):0<2}"


def dollars_column(name: str, description: str) -> Callable[[Any, Any], str | None]:
    """A page's column: a field or an annotation that holds micro-dollars."""

    @admin.display(description=description, ordering=name)
    def column(page: Any, row: Any) -> str | None:
        return exact_dollars(getattr(row, name))

    return column


def without_secrets(payload: Any) -> Any:
    """Whoever has a payment's client_secret can confirm it: it is shown nowhere."""
    if isinstance(payload, dict):
        return {key: "…" if key == "client_secret" else without_secrets(value) for key, value in payload.items()}
    return [without_secrets(each) for each in payload] if isinstance(payload, list) else payload


def readable(payload: Any) -> str:
    shown = json.dumps(without_secrets(payload), indent=2, ensure_ascii=False)
    return format_html('<pre style="white-space: pre-wrap">{}</pre>', shown)


def owner_link(user: User | None) -> str | None:
    """The person of an account, who may be gone: money outlives people."""
    return person_link(user.pk, user.display_name) if user else "deleted person"


def newest_balance() -> Coalesce:
    newest = LedgerEntry.objects.filter(account=OuterRef("pk")).order_by("-id").values("balance_after_micros")
    return Coalesce(Subquery(newest[:1]), 0)


TOTALS = {
    "topped_up": LedgerEntry.Kind.TOP_UP,
    "called": LedgerEntry.Kind.CALL,
    "adjusted": LedgerEntry.Kind.ADJUSTMENT,
    "opened_with": LedgerEntry.Kind.OPENING_BALANCE,
}


def total(kind: LedgerEntry.Kind) -> Coalesce:
    entries = LedgerEntry.objects.filter(account=OuterRef("pk"), kind=kind).order_by().values("account")
    sums = entries.annotate(total=Sum("amount_micros")).values("total")
    return Coalesce(Subquery(sums, output_field=BigIntegerField()), 0)


class NewestEntries(BaseInlineFormSet):  # type: ignore[type-arg]  # takes no parameter at run time
    def get_queryset(self) -> QuerySet[LedgerEntry]:
        if not hasattr(self, "_newest"):
            self._newest = super().get_queryset()[:NEWEST]
        return self._newest


class EntryColumns:
    amount = dollars_column("amount_micros", "amount")
    balance_after = dollars_column("balance_after_micros", "balance after")


class EntryInline(EntryColumns, ReadOnlyInline):
    model = LedgerEntry
    formset = NewestEntries
    fields = ("created_at", "kind", "amount", "balance_after", "reference", "memo")
    ordering = ("-id",)
    show_change_link = True
    verbose_name_plural = f"Newest {NEWEST} entries"


class LeftoverFilter(admin.SimpleListFilter):
    """Finds the money of people who are gone, for a refund."""

    title = "person"
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, str], ...]:
        return (("present", "Present"), ("deleted", "Deleted"), ("refund", "Deleted, with money left"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "refund":
            return queryset.filter(user=None, balance_now__gt=0)
        if self.value():
            return queryset.filter(user__isnull=self.value() == "deleted")
        return queryset


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("id", "person", "balance", "topped_up", "called", "adjusted")
    list_filter = (LeftoverFilter, "created_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__display_name", "id__exact", "top_ups__customer")
    fields = ("person", "balance", *TOTALS, "created_at")
    inlines = (EntryInline,)
    balance = dollars_column("balance_now", "balance")
    topped_up = dollars_column("topped_up_total", "added by card")
    called = dollars_column("called_total", "calls")
    adjusted = dollars_column("adjusted_total", "adjustments")
    opened_with = dollars_column("opened_with_total", "opening balance")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        totals = {f"{column}_total": total(kind) for column, kind in TOTALS.items()}
        accounts: QuerySet[Account] = super().get_queryset(request).annotate(balance_now=newest_balance(), **totals)
        return accounts

    @admin.display(ordering="user__display_name")
    def person(self, account: Account) -> str | None:
        return owner_link(account.user)


class OfAccountAdmin(ReadOnlyAdmin):
    """Rows that belong to an account."""

    list_select_related = ("account__user",)

    @admin.display(ordering="account__user__display_name")
    def person(self, row: LedgerEntry | TopUp) -> str | None:
        return owner_link(row.account.user)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(EntryColumns, OfAccountAdmin):
    list_display = ("created_at", "person", "kind", "amount", "balance_after", "group", "reference")
    list_filter = ("kind", "created_at")
    search_fields = ("reference", "memo", "account__user__email", "account__user__display_name", "account__id__exact")
    fields = ("created_at", "account", "person", "kind", "amount", "balance_after", "group", "reference", "memo")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerEntry]:
        entries: QuerySet[LedgerEntry] = super().get_queryset(request).annotate(group_name=group_name())
        return entries

    @admin.display(ordering="group_name")
    def group(self, entry: Any) -> str | None:
        return group_link(entry.group_id, entry.group_name)


@admin.register(TopUp)
class TopUpAdmin(OfAccountAdmin):
    list_display = ("created_at", "person", "amount", "status", "payment", "message", "in_flight_until")
    list_filter = ("status", "created_at")
    search_fields = ("payment", "customer", "key", "message", "account__user__email", "account__user__display_name")
    fields = (
        *("created_at", "account", "person", "amount", "status", "message", "in_flight_until"),
        *("payment", "customer", "source", "key", "entry", "id"),
    )

    @admin.display(ordering="amount_cents")
    def amount(self, top_up: TopUp) -> str | None:
        return exact_dollars(top_up.amount_cents * MICROS_PER_CENT)


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "type", "id")
    list_filter = ("type", "created_at")
    search_fields = ("id", "type", "text")
    fields = ("created_at", "type", "id", "what_it_says")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StripeEvent]:
        events: QuerySet[StripeEvent] = super().get_queryset(request).alias(text=Cast(F("payload"), TextField()))
        return events

    def what_it_says(self, event: StripeEvent) -> str:
        return readable(event.payload)


class AccountInline(ReadOnlyInline):
    model = Account
    fields = ("id", "created_at")
    show_change_link = True
    verbose_name_plural = "Account"


show_on_person(AccountInline)
