"""What groups' owners have settled for their calls."""

from django.contrib import admin

from users.operators.pages import ReadOnlyAdmin
from voice.models import GroupCall


@admin.register(GroupCall)
class GroupCallAdmin(ReadOnlyAdmin):
    list_display = ("group", "locked", "end_when_alone")
    list_filter = ("locked", "end_when_alone")
    list_select_related = ("group",)
    fields = ("group", "locked", "end_when_alone")
