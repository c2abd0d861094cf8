"""A person's account: its totals, its newest entries, and what the two forms do to it."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from billing.admin.actions import MoneyActions
from billing.admin.columns import amount_column, dollars_column, exact_dollars, owner_link
from billing.models import Account, Card, Dispute, FormerCustomer, LedgerEntry, TopUp
from core.wire import MICROS_PER_CENT
from users.admin import foretell_deletion, show_on_person
from users.operators.pages import ReadOnlyAdmin, ReadOnlyInline

UNDER_WAY = (TopUp.Status.PENDING, TopUp.Status.CONSENT)
NEWEST = 100
"""So many entries are shown on an account's page; the list of all entries has the rest."""
TOTALS = {
    "topped_up": LedgerEntry.Kind.TOP_UP,
    "called": LedgerEntry.Kind.CALL,
    "refunded": LedgerEntry.Kind.REFUND,
    "disputed": LedgerEntry.Kind.DISPUTE,
    "disputes_won": LedgerEntry.Kind.DISPUTE_WON,
    "adjusted": LedgerEntry.Kind.ADJUSTMENT,
    "opened_with": LedgerEntry.Kind.OPENING_BALANCE,
}


def newest_balance() -> Coalesce:
    newest = LedgerEntry.objects.filter(account=OuterRef("pk")).order_by("-id").values("balance_after_micros")
    return Coalesce(Subquery(newest[:1]), 0)


def totals_of(account: Account) -> dict[str, int]:
    """What each kind of entry comes to, in one pass over the account's. On its page alone: of a list's accounts it
    would be the whole ledger."""
    sums = {f"{name}_total": Coalesce(Sum("amount_micros", filter=Q(kind=kind)), 0) for name, kind in TOTALS.items()}
    return account.entries.aggregate(**sums)


class PersonFilter(admin.SimpleListFilter):
    """Finds the money of people who are gone, for a refund, and who owes some."""

    title = "person"
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, str], ...]:
        return (
            *(("present", "Present"), ("owes", "Present, and owes")),
            *(("deleted", "Deleted"), ("refund", "Deleted, with money left")),
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "refund":
            return queryset.filter(user=None, balance_now__gt=0)
        if self.value() == "owes":
            return queryset.filter(user__isnull=False, balance_now__lt=0)
        if self.value():
            return queryset.filter(user__isnull=self.value() == "deleted")
        return queryset


class NewestEntries(BaseInlineFormSet[LedgerEntry, Account, Any]):
    def get_queryset(self) -> QuerySet[LedgerEntry]:
        if not hasattr(self, "_newest"):
            self._newest = super().get_queryset()[:NEWEST]
        return self._newest


class EntryInline(ReadOnlyInline):
    model = LedgerEntry
    formset = NewestEntries  # type: ignore[assignment]  # bounded in its own way
    fields = ("created_at", "kind", "amount", "balance_after", "reference", "memo")
    ordering = ("-id",)
    show_change_link = True
    verbose_name_plural = f"Newest {NEWEST} entries"
    amount = dollars_column("amount_micros", "amount")
    balance_after = dollars_column("balance_after_micros", "balance after")


class OpenDisputeInline(ReadOnlyInline):
    model = Dispute
    fields = ("created_at", "amount", "status", "payment")
    show_change_link = True
    verbose_name_plural = "Open disputes"
    amount = amount_column

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dispute]:
        return super().get_queryset(request).filter(settled=False)


@admin.register(Account)
class AccountAdmin(MoneyActions, ReadOnlyAdmin):
    list_display = ("id", "person", "balance", "created_at")
    list_filter = (PersonFilter, "created_at")
    list_select_related = ("user",)
    search_fields = ("id__exact", "user__email", "user__display_name__has_text")
    fields = ("person", "balance", *TOTALS, "created_at")
    inlines = (OpenDisputeInline, EntryInline)
    balance = dollars_column("balance_now", "balance")
    topped_up = dollars_column("topped_up_total", "added by card")
    called = dollars_column("called_total", "calls")
    refunded = dollars_column("refunded_total", "refunds")
    disputed = dollars_column("disputed_total", "disputes")
    disputes_won = dollars_column("disputes_won_total", "disputes won")
    adjusted = dollars_column("adjusted_total", "adjustments")
    opened_with = dollars_column("opened_with_total", "opening balance")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        accounts: QuerySet[Account] = super().get_queryset(request).annotate(balance_now=newest_balance())
        return accounts

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Account | None:
        account: Account | None = super().get_object(request, object_id, from_field)
        for name, micros in (totals_of(account) if account else {}).items():
            setattr(account, name, micros)
        return account

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Account], search_term: str
    ) -> tuple[QuerySet[Account], bool]:
        """A customer's id is looked up by itself: joined to all payments, each account would be there many times."""
        customers = TopUp.objects.filter(customer__startswith=search_term).values("account")
        if search_term.startswith("cus_"):
            return queryset.filter(pk__in=customers), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(ordering="user_id")
    def person(self, account: Account) -> str | None:
        return owner_link(account.user)


def show_on_account(*inlines: type[ReadOnlyInline]) -> None:
    """Lets an upper app show on the account's page what it keeps about it."""
    AccountAdmin.inlines = (*AccountAdmin.inlines, *inlines)  # type: ignore[assignment]  # longer than it was


class AccountInline(ReadOnlyInline):
    model = Account
    fields = ("id", "created_at")
    show_change_link = True
    verbose_name_plural = "Account"


class CardInline(ReadOnlyInline):
    model = Card
    fields = ("brand", "last4", "expires", "is_default", "created_at")
    verbose_name_plural = "Cards on file"

    def expires(self, card: Card) -> str:
        return good_until(card)


def good_until(card: Card) -> str:
    return f"{card.exp_month:02}/{card.exp_year}"


class FormerCustomerInline(ReadOnlyInline):
    model = FormerCustomer
    fields = ("id", "created_at")
    verbose_name_plural = "Customers of before, gone at Stripe"


@foretell_deletion
def what_becomes_of_money(person_ids: set[int]) -> Iterator[str]:
    """Who holds or owes how much, whose payments are under way, and which are disputed."""
    accounts = Account.objects.filter(user__in=person_ids).select_related("user").annotate(balance_now=newest_balance())
    for account in accounts.order_by("pk"):
        whose, number = owner_link(account.user), account_link(account)
        held, owed = exact_dollars(account.balance_now), exact_dollars(-account.balance_now)
        if account.balance_now > 0:
            yield format_html("{} holds {}. It stays on {}, from which it can be given back.", whose, held, number)
        if account.balance_now < 0:
            yield format_html("{} owes {}. The debt stays on {}.", whose, owed, number)
        for top_up in account.top_ups.filter(status__in=UNDER_WAY):
            amount = exact_dollars(top_up.amount_cents * MICROS_PER_CENT)
            yield format_html("A payment of {} by {} is under way. What comes of it goes to {}.", amount, whose, number)
        for dispute in account.disputes.open():
            amount = exact_dollars(dispute.amount_cents * MICROS_PER_CENT)
            yield format_html("A payment by {} is disputed, of {}.", whose, amount)


def account_link(account: Account) -> str:
    return format_html('<a href="{}">{}</a>', reverse("admin:billing_account_change", args=[account.pk]), account)


show_on_person(AccountInline, CardInline, FormerCustomerInline)
