"""The page of groups' own numbers. Codes have none: they are nobody's but their person's."""

from django.contrib import admin

from users.operators.pages import AskedAgain
from voice.models import DialInNumber


@admin.register(DialInNumber)
class DialInNumberAdmin(AskedAgain):
    list_display = ("number", "group", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("group",)
    search_fields = ("number", "group__name__has_text")
    autocomplete_fields = ("group",)
    fields = ("number", "group")
