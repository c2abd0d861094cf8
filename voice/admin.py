"""The operators' view of calls. All of it is read-only: it mirrors what Twilio knows."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.admin import dollars_column, owner_link, readable
from groups.admin import OfGroupAdmin
from users.admin import ReadOnlyInline, person_link, person_name
from voice.models import Call, Conference, ConferenceEvent, HangUp


def time_spent(seconds: int | None) -> str | None:
    """3725 is "1 h 2 min 5 s"."""
    if seconds is None:
        return None
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


class ToBeHungUpFilter(admin.SimpleListFilter):
    title = "ending"
    parameter_name = "ending"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("due", "to be hung up")]

    def queryset(self, request: HttpRequest, calls: QuerySet[Call]) -> QuerySet[Call]:
        return calls.filter(pk__in=Call.objects.to_be_hung_up()) if self.value() == "due" else calls


class HangUpInline(ReadOnlyInline):
    model = HangUp
    fields = ("why", "asked_at")
    verbose_name_plural = "Why it is to end"


@admin.register(Call)
class CallAdmin(OfGroupAdmin):
    list_display = ("sid", "person", "group", "status", "is_on", "start_time", "time_spent", "price")
    list_filter = ("status", "is_on", ToBeHungUpFilter, ("price_micros", admin.EmptyFieldListFilter), "start_time")
    search_fields = ("sid", "caller", "called", "person_name", "group_name", "user_id__exact", "conference__sid")
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
        *("created_at", "start_time", "end_time", "time_spent", "hang_up_at"),
        *("price", "price_unit", "price_due_at", "price_attempts"),
    )
    inlines = (HangUpInline,)
    price = dollars_column("price_micros", "price")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Call]:
        calls: QuerySet[Call] = super().get_queryset(request).annotate(person_name=person_name("user_id"))
        return calls

    @admin.display(ordering="person_name", empty_value="unknown")
    def person(self, call: Any) -> str | None:
        return person_link(call.user_id, call.person_name)

    @admin.display(empty_value="nobody")
    def paid_by(self, call: Call) -> str | None:
        return owner_link(call.payer.user) if call.payer else None

    @admin.display(description="duration", ordering="duration")
    def time_spent(self, call: Call) -> str | None:
        return time_spent(call.duration)


class EventInline(ReadOnlyInline):
    model = ConferenceEvent
    fields = ("created_at", "sequence_number", "kind", "call_sid", "what_it_says")

    def what_it_says(self, event: ConferenceEvent) -> str:
        return readable(event.payload)


@admin.register(Conference)
class ConferenceAdmin(OfGroupAdmin):
    list_display = ("sid", "group", "created_at", "completed", "ended_at", "notified_at")
    list_filter = ("completed", "created_at")
    search_fields = ("sid", "group_name", "group_id__exact")
    fields = ("sid", "group", "created_at", "completed", "ended_at", "notified_at")
    inlines = (EventInline,)
