"""The pages about calls and conferences."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html

from billing.admin import MoneyPages, dollars_column, exact_dollars, owner_link, readable
from groups.admin import OfGroupAdmin, group_link, group_name
from users.admin import foretell_deletion
from users.operators import person_link
from users.operators.pages import ReadOnlyAdmin, ReadOnlyInline
from users.operators.searching import MOST, people_called, person_email, person_name
from users.operators.story import Part, in_story, linked, listed, newest
from voice.admin.running import RunningCalls
from voice.admin.settling import SettlingForm, may_be_settled
from voice.models import Call, Conference, ConferenceEvent, HangUp, UnreadWebhook


def time_spent(seconds: int | None) -> str | None:
    """3725 is "1 h 2 min 5 s"."""
    if seconds is None:
        return None
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


class DoubtFilter(admin.SimpleListFilter):
    """Finds what somebody must look at: another region, another subaccount or a rotated key is asked."""

    title = "known to Twilio"
    parameter_name = "doubt"

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, str], ...]:
        return (("hour", "Running, and not known for an hour"), ("any", "Not known when last asked"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "hour":
            in_doubt: QuerySet[Any] = queryset.model.objects.long_in_doubt(timezone.now())
            return queryset.filter(pk__in=in_doubt.values("pk"))
        return queryset.exclude(doubted_at=None) if self.value() == "any" else queryset


class HangUpFilter(admin.SimpleListFilter):
    title = "ending"
    parameter_name = "ending"

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, str], ...]:
        return (("due", "To be hung up"),)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Call]) -> QuerySet[Call]:
        return queryset.filter(pk__in=Call.objects.to_be_hung_up()) if self.value() == "due" else queryset


class MissingPriceFilter(admin.SimpleListFilter):
    title = "missing"
    parameter_name = "missing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, str], ...]:
        return (("price", "A price, a day after the end"),)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Call]) -> QuerySet[Call]:
        missing = Call.objects.without_price(timezone.now()).values("pk")
        return queryset.filter(pk__in=missing) if self.value() == "price" else queryset


class AsideFilter(admin.SimpleListFilter):
    title = "kept aside"
    parameter_name = "aside"

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, str], ...]:
        return (
            ("price", "A price that is not in dollars, or cannot be"),
            ("duration", "A duration, start or end that cannot be"),
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Call]) -> QuerySet[Call]:
        column = {"price": "price_told", "duration": "duration_told"}.get(self.value() or "")
        return queryset.exclude(**{column: ""}) if column else queryset


class HangUpInline(ReadOnlyInline):
    model = HangUp
    fields = ("why", "asked_at")
    verbose_name_plural = "Why it is to end"


@admin.register(Call)
class CallAdmin(RunningCalls, MoneyPages, OfGroupAdmin):
    list_display = ("sid", "person", "group", "status", "is_on", "start_time", "time_spent", "price")
    list_filter = (
        *("status", "is_on", HangUpFilter, MissingPriceFilter, DoubtFilter, "end_source"),
        *(("price_micros", admin.EmptyFieldListFilter), AsideFilter, "settled_by", "start_time"),
    )
    search_fields = ("sid", "caller", "called", "user_id__exact")
    search_help_text = "The beginning of a sid or number, a conference, a group's name, a person's id, name or email."
    fields = (
        *(
            "sid",
            "person",
            "group",
            "paid_by",
            "payer",
            "conference",
            "status",
            "is_on",
            "direction",
            "caller",
            "called",
        ),
        *("created_at", "start_time", "end_time", "end_source", "time_spent", "duration_told"),
        *("hang_up_at", "doubted_at", "ask_again_at"),
        *("price", "price_unit", "price_told", "price_due_at", "price_attempts", "settled_by", "charged"),
    )
    inlines = (HangUpInline,)
    price = dollars_column("price_micros", "price")
    charged = dollars_column("charged_micros", "charged, with the conference's fee")

    def get_urls(self) -> list[Any]:
        return [self.form_path("settle", SettlingForm, "Settle a call without a price"), *super().get_urls()]

    def rows_with_money(self) -> QuerySet[Call]:
        return Call.objects.select_related("payer__user").exclude(payer=None)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        call: Call | None = self.get_object(request, object_id)
        context = {"may_be_settled": call is not None and may_be_settled(call, now=timezone.now())}
        return super().change_view(request, object_id, *args, **{**kwargs, "extra_context": context})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Call]:
        calls: QuerySet[Call] = (
            super()
            .get_queryset(request)
            .annotate(person_name=person_name("user_id"), person_email=person_email("user_id"))
        )
        return calls

    def found(self, text: str) -> Q:
        people = list(people_called(text).values_list("pk", flat=True)[:MOST])
        return Q(user_id__in=people) | Q(conference=text) | super().found(text)

    @admin.display(ordering="user_id", empty_value="unknown")
    def person(self, call: Any) -> str | None:
        return person_link(call.user_id, call.person_name, call.person_email)

    @admin.display(empty_value="nobody")
    def paid_by(self, call: Call) -> str | None:
        return owner_link(call.payer.user) if call.payer else None

    @admin.display(description="duration", ordering="duration")
    def time_spent(self, call: Call) -> str | None:
        return time_spent(call.duration)


@foretell_deletion
def what_becomes_of_calls(person_ids: set[int]) -> Iterator[str]:
    """On whom is hung up."""
    legs = Call.objects.running().filter(user_id__in=person_ids).order_by("pk")
    who = {"person_name": person_name("user_id"), "person_email": person_email("user_id")}
    named: Iterable[Any] = legs.annotate(**who, group_name=group_name())
    for leg in named:
        whose = person_link(leg.user_id, leg.person_name, leg.person_email)
        where = group_link(leg.group_id, leg.group_name)
        yield format_html("{} is on a call of the group {}. It is ended for them.", whose, where)


@in_story("Calls", Call)
def calls_of(person_id: int) -> Part:
    columns = {
        "start": lambda row: row.start_time or row.created_at,
        "group": lambda row: group_link(row.group_id, row.group_name),
        "duration": lambda row: time_spent(row.duration),
        "cost": cost,
        "paid by": lambda row: owner_link(row.payer.user) if row.payer else "nobody",
        "call": lambda row: linked(row, row.sid),
        "status": lambda row: "on now" if row.is_on else row.status,
    }
    rows = Call.objects.filter(user_id=person_id).select_related("payer__user").annotate(group_name=group_name())
    return newest("Calls", rows, columns, listed(Call, f"user_id__exact={person_id}"))


def cost(call: Call) -> str | None:
    """What was charged, captions among it; empty until it is."""
    charged = [micros for micros in (call.charged_micros, call.captions_micros) if micros is not None]
    return exact_dollars(sum(charged)) if charged else None


class EventInline(ReadOnlyInline):
    model = ConferenceEvent
    fields = ("created_at", "happened_at", "sequence_number", "kind", "call_sid", "what_it_says")

    def what_it_says(self, event: ConferenceEvent) -> str:
        return readable(event.payload)


@admin.register(Conference)
class ConferenceAdmin(OfGroupAdmin):
    list_display = ("sid", "group", "created_at", "completed", "ended_at", "announcement", "notified_at")
    list_filter = ("completed", DoubtFilter, "created_at")
    search_fields = ("sid", "group_id__exact")
    search_help_text = "The beginning of a sid, a group's name or id."
    fields = (
        *(
            "sid",
            "group",
            "created_at",
            "completed",
            "ended_at",
            "doubted_at",
            "ask_again_at",
            "announcement",
            "notified_at",
        ),
    )
    inlines = (EventInline,)


@admin.register(UnreadWebhook)
class UnreadWebhookAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "path", "field_count")
    list_filter = ("path", "created_at")
    fields = ("created_at", "path", "field_count", "text")
