"""What an account's calls hold of its balance until they are settled, and why: shown on the account's page."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from billing.admin import exact_dollars, show_on_account
from groups.admin import group_link, group_name
from users.operators.pages import ReadOnlyInline
from voice.credit.call_credit import held_micros
from voice.models import UNSETTLED, Call, GroupCall


def why_held(call: Call) -> str:
    if call.end_time is None and call.doubted_at:
        since = f"{call.doubted_at:%Y-%m-%d %H:%M}"
        return f"Twilio has not known it since {since} UTC. It counts as running until its time limit is over."
    if call.end_time is None:
        return "It is running."
    if call.price_told:
        return f"Twilio's price is {call.price_told} {call.price_unit}. After a day our own rates count."
    return "Twilio's price is not known yet. After a day our own rates count."


class HeldInline(ReadOnlyInline):
    model = Call
    fields = ("created_at", "group", "end_time", "held", "why")
    ordering = ("-id",)
    show_change_link = True
    verbose_name_plural = "Calls that are not settled, and what each holds of the balance"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Call]:
        captions = Exists(GroupCall.objects.filter(pk=OuterRef("group_id"), captions=True))
        calls: QuerySet[Call] = super().get_queryset(request).filter(UNSETTLED).prefetch_related("transcriptions")
        return calls.annotate(group_name=group_name(), captions=captions)

    def group(self, call: Any) -> str | None:
        return group_link(call.group_id, call.group_name)

    def held(self, call: Any) -> str | None:
        captioned = [call.group_id] if call.captions else []
        return exact_dollars(held_micros(call, captioned, now=timezone.now()))

    @admin.display(description="why")
    def why(self, call: Call) -> str:
        return why_held(call)


show_on_account(HeldInline)
