"""The operators' pages about what people are told."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from groups.notifications.models import SandboxEmail, SandboxMessage
from users.admin import ReadOnlyAdmin
from users.operators import legible_column


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
