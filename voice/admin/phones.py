"""The pages about groups on the phone: their own numbers, and the language in which they are spoken to. Codes have no
page: they are nobody's but their person's.
"""

from django.contrib import admin

from users.operators.pages import AskedAgain
from voice.dial_in_models import DialInNumber, GroupPhone


@admin.register(DialInNumber)
class DialInNumberAdmin(AskedAgain):
    list_display = ("number", "group", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("group",)
    search_fields = ("number", "group__name__has_text")
    autocomplete_fields = ("group",)
    fields = ("number", "group")


@admin.register(GroupPhone)
class GroupPhoneAdmin(AskedAgain):
    list_display = ("group", "language")
    list_filter = ("language",)
    list_select_related = ("group",)
    search_fields = ("group__name__has_text",)
    autocomplete_fields = ("group",)
    fields = ("group", "language")
