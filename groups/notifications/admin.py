"""The operators' pages about what people are told."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from groups.notifications.models import Notice, SandboxEmail, SandboxMessage
from users.models import NotificationChoices
from users.operators import legible_column
from users.operators.pages import ReadOnlyAdmin
from users.operators.searching import MOST, SearchedByWord, people_called
from users.operators.story import Part, in_story, linked, listed, newest


@admin.register(Notice)
class NoticeAdmin(SearchedByWord, ReadOnlyAdmin):
    """What people are told, and why somebody was not. The words are made when they are told, and kept nowhere."""

    ordering = ("-id",)
    list_display = ("created_at", "kind", "way", "user", "group", "state", "why")
    list_display_links = ("kind",)
    list_filter = ("state", "way", "kind", "created_at")
    list_select_related = ("user", "group")
    search_fields = ("about",)
    search_help_text = "A person's name or email, or what it is about."
    fields = ("created_at", "kind", "about", "way", "user", "group", "facts", "state", "why", "ended_at")

    def found(self, text: str) -> Q:
        return Q(user__in=list(people_called(text).values_list("pk", flat=True)[:MOST])) | Q(about=text)


@in_story("What they were told", Notice)
def notices_of(person_id: int) -> Part:
    columns = {
        "at": lambda row: row.created_at,
        "what": lambda row: linked(row, row.get_kind_display()),
        "by": lambda row: row.get_way_display(),
        "group": lambda row: linked(row.group, row.group) if row.group else "",
        "state": lambda row: row.get_state_display(),
        "why not": lambda row: row.why,
    }
    rows = Notice.objects.filter(user=person_id).select_related("group")
    return newest("What they were told", rows, columns, listed(Notice, f"user__id__exact={person_id}"))


@in_story("What they were told", NotificationChoices)
def chosen_ways(person_id: int) -> Part:
    """Who has never chosen has no row."""
    ways = {"by push": "push", "by e-mail": "email", "by SMS": "sms"}
    columns = {words: partial(yes_or_no, name=name) for words, name in ways.items()}
    return newest("How they want to be told", NotificationChoices.objects.filter(user=person_id), columns)


def yes_or_no(row: Any, *, name: str) -> str:
    return "yes" if getattr(row, name) else "no"


@admin.register(SandboxEmail)
class SandboxEmailAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "to", "words")
    list_display_links = ("words",)
    list_filter = ("created_at",)
    search_fields = ("to",)
    fields = ("created_at", "to", "words", "text", "headers", "as_mail_programs_show_it")
    words = legible_column("subject")

    @admin.display(description="with its button")
    def as_mail_programs_show_it(self, email: SandboxEmail) -> str:
        page = reverse("admin:notifications_sandboxemail_letter", args=[email.pk])
        return format_html(
            '<a href="{}" target="_blank" rel="noopener">Look at it as a mail program shows it</a>', page
        )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.letter)
        return [path("<int:pk>/letter/", view, name="notifications_sandboxemail_letter"), *super().get_urls()]

    def letter(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Its answer runs no script and reaches nothing: `voicechat/content_security.py`."""
        email = get_object_or_404(SandboxEmail, pk=pk)
        if not self.has_view_permission(request, email):
            raise PermissionDenied
        return HttpResponse(email.html)


@admin.register(SandboxMessage)
class SandboxMessageAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "to", "words")
    list_display_links = ("words",)
    list_filter = ("created_at",)
    search_fields = ("to", "body__has_text")
    fields = ("created_at", "to", "words")
    words = legible_column("body")
