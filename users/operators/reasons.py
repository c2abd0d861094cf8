"""Why an operator does something to somebody: asked before it is done, and written into the history with it."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from core.wire import is_visible

FIELD = "why"
OWN = (FIELD, "csrfmiddlewaretoken")
LONGEST = 200
"""As the reason of an adjustment, which stands in a statement."""


def reason_first(request: HttpRequest) -> HttpResponse | None:
    """The answer in whose place something has to wait; None where a reason is given, which is then the request's.

    The page that asks carries all that was sent along. A page that has a field of this name asks by itself.
    """
    given = request.POST.get(FIELD)
    if given is None or not is_visible(given) or len(given) > LONGEST:
        return ask(request, is_wrong=given is not None)
    sent = request.POST.copy()
    del sent[FIELD]
    request.POST = sent  # type: ignore[assignment]  # what the page itself expects
    request.reason = given.strip()  # type: ignore[attr-defined]
    return None


def reason_of(request: HttpRequest) -> str:
    """Empty where none was asked for."""
    reason: str = getattr(request, "reason", "")
    return reason


def ask(request: HttpRequest, *, is_wrong: bool) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": "Why?",
        "subtitle": None,
        "field": FIELD,
        "longest": LONGEST,
        "kept": [(name, value) for name, values in request.POST.lists() if name not in OWN for value in values],
        "is_wrong": is_wrong,
    }
    return TemplateResponse(request, "admin/reason.html", context)
