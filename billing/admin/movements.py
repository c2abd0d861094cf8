"""The lists of what moved money, and of what Stripe told about it."""

from typing import Any

from django.contrib import admin
from django.db.models import F, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest

from billing.admin.columns import amount_column, dollars_column, exact_dollars, owner_link, readable
from billing.models import Account, CardRefusal, Dispute, LedgerEntry, PaymentNotice, RefundRequest, StripeEvent, TopUp
from core.wire import MICROS_PER_CENT
from groups.admin import group_link, group_name
from users.operators.pages import ReadOnlyAdmin, SaidFilter
from users.operators.searching import MOST, NEWEST, SearchedByWord, among_newest, people_called, said

OF_PERSON = "account__user__id__exact"


class OfAccountAdmin(SearchedByWord, ReadOnlyAdmin):
    """Rows that belong to an account. They are sorted by it, not by its person's name: that has an index."""

    list_select_related = ("account__user",)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """One person's: their whole story leads to them."""
        return lookup == OF_PERSON or super().lookup_allowed(lookup, value, request)

    def found(self, text: str) -> Q:
        accounts = list(Account.objects.filter(user__in=people_called(text)).values_list("pk", flat=True)[:MOST])
        return Q(account__in=accounts) | said(self.search_fields, text)

    @admin.display(ordering="account_id")
    def person(self, row: LedgerEntry | TopUp | RefundRequest | Dispute) -> str | None:
        return owner_link(row.account.user)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(OfAccountAdmin):
    list_display = ("created_at", "person", "kind", "amount", "balance_after", "group", "reference")
    list_filter = ("kind", "created_at")
    search_fields = ("id__exact", "account_id__exact", "reference")
    search_help_text = "The beginning of a reference, an entry's or account's id, a person's name or email."
    fields = ("id", "created_at", "account", "person", "kind", "amount", "balance_after", "group", "reference", "memo")
    amount = dollars_column("amount_micros", "amount")
    balance_after = dollars_column("balance_after_micros", "balance after")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerEntry]:
        entries: QuerySet[LedgerEntry] = super().get_queryset(request).annotate(group_name=group_name())
        return entries

    @admin.display(ordering="group_id")
    def group(self, entry: Any) -> str | None:
        return group_link(entry.group_id, entry.group_name)


@admin.register(TopUp)
class TopUpAdmin(OfAccountAdmin):
    list_display = ("created_at", "person", "amount", "status", "payment", "message", "in_flight_until")
    list_filter = ("status", "created_at")
    search_fields = ("payment", "customer", "key", "message")
    fields = (
        *("created_at", "account", "person", "amount", "status", "message", "in_flight_until"),
        *("captured", "payment", "customer", "source", "key", "entry", "id"),
    )
    amount = amount_column

    @admin.display(description="captured, where less")
    def captured(self, top_up: TopUp) -> str | None:
        return exact_dollars(top_up.captured_cents and top_up.captured_cents * MICROS_PER_CENT)


@admin.register(RefundRequest)
class RefundRequestAdmin(OfAccountAdmin):
    list_display = ("created_at", "person", "amount", "status", "refund", "asked_at")
    list_filter = ("status", "created_at")
    search_fields = ("key", "refund")
    fields = ("created_at", "asked_at", "account", "person", "amount", "status", "refund", "top_up", "key")
    amount = amount_column


@admin.register(Dispute)
class DisputeAdmin(OfAccountAdmin):
    list_display = ("created_at", "person", "amount", "status", "settled", "payment", "id")
    list_filter = ("settled", "status", "created_at")
    search_fields = ("id", "payment")
    fields = ("created_at", "account", "person", "amount", "status", "settled", "payment", "id")
    amount = amount_column


class AppliedFilter(admin.SimpleListFilter):
    """Finds the events that wait, and those from which nothing followed for a reason."""

    title = "applied"
    parameter_name = "applied"

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, str], ...]:
        return (("no", "Not yet"), ("yes", "Yes"), ("nothing", "To nothing, with a reason"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "nothing":
            return queryset.exclude(applied_at=None).exclude(reason="")
        return queryset.filter(applied_at__isnull=self.value() == "no") if self.value() else queryset


@admin.register(StripeEvent)
class StripeEventAdmin(SearchedByWord, ReadOnlyAdmin):
    list_display = ("created_at", "type", "applied_at", "reason", "api_version", "id")
    list_filter = (AppliedFilter, "type", ("api_version", SaidFilter), "created_at")
    search_fields = ("id",)
    search_help_text = f"The beginning of an event's id; a type, a reason or an id in the newest {NEWEST:,} events."
    fields = ("created_at", "applied_at", "reason", "type", "api_version", "id", "what_it_says")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StripeEvent]:
        events: QuerySet[StripeEvent] = super().get_queryset(request).alias(text=Cast(F("payload"), TextField()))
        return events

    def found(self, text: str) -> Q:
        said_there = Q(text__icontains=text) | Q(type__icontains=text) | Q(reason__icontains=text)
        return said(self.search_fields, text) | among_newest(StripeEvent.objects.all(), "created_at", said_there)

    def what_it_says(self, event: StripeEvent) -> str:
        return readable(event.payload)


@admin.register(PaymentNotice)
class PaymentNoticeAdmin(ReadOnlyAdmin):
    """What only an operator can put right, such as a key that has expired, in Stripe's own words."""

    list_display = ("last_at", "words", "first_at", "cause")
    list_filter = ("last_at",)
    search_fields = ("cause", "words")
    fields = ("last_at", "first_at", "cause", "words")


@admin.register(CardRefusal)
class CardRefusalAdmin(ReadOnlyAdmin):
    """Many of one person, or of one `who`, are somebody who tries cards."""

    list_display = ("created_at", "user", "amount", "why", "who")
    list_filter = ("created_at",)
    list_select_related = ("user",)
    search_fields = ("user__email", "user__display_name", "who", "why")
    fields = ("created_at", "user", "amount", "why", "who")

    @admin.display(ordering="amount_cents")
    def amount(self, refusal: CardRefusal) -> str | None:
        return exact_dollars(refusal.amount_cents and refusal.amount_cents * MICROS_PER_CENT)
