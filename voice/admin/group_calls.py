"""What groups' owners have settled for their calls; of that, operators may change the language."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from users.operators.pages import AskedAgain
from voice.models import GroupCall


@admin.register(GroupCall)
class GroupCallAdmin(AskedAgain):
    list_display = ("group", "language", "locked", "end_when_alone", "captions")
    list_filter = ("language", "locked", "end_when_alone", "captions")
    list_select_related = ("group",)
    search_fields = ("group__name__has_text",)
    autocomplete_fields = ("group",)
    fields = (
        *("group", "language", "locked", "end_when_alone", "captions", "captions_language", "captions_keep"),
        *("captions_changed_at", "captions_warned_at"),
    )
    readonly_fields = (
        *("locked", "end_when_alone", "captions", "captions_language", "captions_keep"),
        *("captions_changed_at", "captions_warned_at"),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A lock would go with it."""
        return False
