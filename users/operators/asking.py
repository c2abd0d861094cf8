"""A page that asks for one field more, in the place of what was sent; it carries all of that along."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse


def ask_for(field: str, request: HttpRequest, template: str, **more: Any) -> HttpResponse:
    """`more` is what the template says beside."""
    own = (field, "csrfmiddlewaretoken")
    kept = [(name, value) for name, values in request.POST.lists() if name not in own for value in values]
    context = {**admin.site.each_context(request), "subtitle": None, "field": field, "kept": kept, **more}
    return TemplateResponse(request, template, context)


def take(field: str, request: HttpRequest) -> None:
    """What is left is what the page itself expects."""
    sent = request.POST.copy()
    sent.pop(field, None)
    request.POST = sent  # type: ignore[assignment]  # a copy is one that can be changed
