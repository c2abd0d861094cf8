"""The calls that are on now, and what an operator may do there: mute a phone, take somebody off, end a call."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from rest_framework.exceptions import APIException

from core.wire import number_in
from groups.admin import group_link, group_name
from users.operators import person_link, reason_first
from users.operators.pages import ask_operator_again
from users.operators.searching import person_email, person_name
from voice.conferences.muted import muted_among
from voice.hang_ups import end_group_call, hang_up
from voice.hosting.muting import NotOnCall, mute_leg
from voice.models import Call, HangUp

PERMISSION = "voice.change_call"
MOST = 500
"""Phones that the page shows; the list of calls has the others."""
PAGE, TEMPLATE, ROWS = "voice_running_calls", "admin/voice/running_calls.html", "admin/voice/running_rows.html"
GONE = "This phone is on no call any more."


class RunningCalls(admin.ModelAdmin[Any]):
    """A page of the list of calls."""

    def get_urls(self) -> list[Any]:
        views = {"": self.running_calls, "rows/": self.running_rows, "act/": self.act_on_call}
        own = [
            path(f"running/{end}", self.admin_site.admin_view(view), name=f"{PAGE}{end and '_' + end[:-1]}")
            for end, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def running_calls(self, request: HttpRequest) -> HttpResponse:
        return TemplateResponse(request, TEMPLATE, self.context_of(request))

    def running_rows(self, request: HttpRequest) -> HttpResponse:
        """The page's table alone: the page asks for it each few seconds."""
        return TemplateResponse(request, ROWS, self.context_of(request))

    def context_of(self, request: HttpRequest) -> dict[str, Any]:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return {
            **self.admin_site.each_context(request),
            "title": "Calls that are on now",
            "subtitle": None,
            "opts": self.opts,
            "now": timezone.now(),
            "phones": phones(),
            "most": MOST,
            "may_act": request.user.has_perm(PERMISSION),
        }

    def act_on_call(self, request: HttpRequest) -> HttpResponse:
        """What is done stands in the call's history."""
        if request.method != "POST" or not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        name, _, asked = request.POST.get("act", "").partition(" ")
        if name not in ACTIONS:
            raise Http404
        leg = leg_of(asked)
        if leg is None:
            self.message_user(request, GONE, level="WARNING")
            return redirect(f"admin:{PAGE}")
        if asked_why := reason_first(request):
            return asked_why
        try:
            done = ACTIONS[name](leg, request)
            self.log_change(request, leg, done)
            self.message_user(request, done)
        except APIException as error:
            self.message_user(request, str(error.detail), level="ERROR")
        return redirect(f"admin:{PAGE}")


def leg_of(asked: str) -> Call | None:
    """By its id, as a form sends it."""
    pk = number_in(asked)
    return None if pk is None else on_now().filter(pk=pk).first()


def ask_once_more(request: HttpRequest) -> None:
    ask_operator_again(request)
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


def on_now() -> QuerySet[Call]:
    who = {"person_name": person_name("user_id"), "person_email": person_email("user_id")}
    calls = Call.objects.filter(is_on=True).select_related("conference")
    known = Max("conference__events__sequence_number")  # for whoever mutes it
    return calls.annotate(**who, group_name=group_name(), known=known).order_by("group_id", "start_time", "pk")


def phones() -> list[dict[str, Any]]:
    legs: list[Any] = list(on_now()[:MOST])
    muted = muted_among(Call.objects.filter(pk__in=[leg.pk for leg in legs]))
    return [
        {
            "leg": leg,
            "group": group_link(leg.group_id, leg.group_name),
            "person": person_link(leg.user_id, leg.person_name, leg.person_email) or f"unknown: {leg.caller}",
            "is_muted": leg.pk in muted,
        }
        for leg in legs
    ]


def set_muted(leg: Call, request: HttpRequest, *, muted: bool) -> str:
    if not mute_leg(leg, muted=muted):
        raise NotOnCall(GONE)
    return "Muted." if muted else "Unmuted."


def take_off(leg: Call, request: HttpRequest) -> str:
    hang_up(Call.objects.filter(pk=leg.pk), why=HangUp.Why.TAKEN_OFF)
    return "This phone is hung up on."


def end(leg: Call, request: HttpRequest) -> str:
    """It waits for the group: meanwhile they may have become no operator."""
    end_group_call(group_id=leg.group_id or 0, check=partial(ask_once_more, request))
    return "The group's call is ended for everybody."


ACTIONS: dict[str, Callable[[Call, HttpRequest], str]] = {
    "mute": partial(set_muted, muted=True),
    "unmute": partial(set_muted, muted=False),
    "remove": take_off,
    "end": end,
}
