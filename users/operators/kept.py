"""What an operator had written when their session ended, or when they logged in anew in another tab, is kept."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.signing import BadSignature, dumps, loads
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from users.operators.log_in import LoginForm

KEPT = "kept_form"
GOOD_FOR = 12 * 3600
LOG_IN_TEMPLATE = "admin/log_in.html"
SALT = "users.operators.kept"


def was_here(request: HttpRequest) -> bool:
    """Whether this browser has had a page of ours, and so a form to lose."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES or settings.CSRF_COOKIE_NAME in request.COOKIES


def written(request: HttpRequest) -> list[tuple[str, str]]:
    """All that was sent but passwords: those are asked for again."""
    return [
        (name, str(value))
        for name, values in request.POST.lists()
        if name != "csrfmiddlewaretoken" and "password" not in name
        for value in values
    ]


def ask_to_log_in(request: HttpRequest) -> HttpResponse:
    """In the place of the answer to a form that came without a session; the form goes along, signed."""
    context = {
        **admin.site.each_context(request),
        "title": "Log in",
        "subtitle": None,
        "app_path": reverse("admin:login"),
        "form": LoginForm(request),
        "next": request.get_full_path(),
        "is_over": True,
        "kept": dumps({"path": request.get_full_path(), "sent": written(request)}, salt=SALT, compress=True),
    }
    answer = TemplateResponse(request, LOG_IN_TEMPLATE, context)
    add_never_cache_headers(answer)
    return answer


def go_on(request: HttpRequest, kept: str) -> HttpResponse | None:
    """After the log-in: the form once more, to be sent or left. None where it is not one of ours."""
    try:
        form = loads(kept, salt=SALT, max_age=GOOD_FOR)
    except BadSignature:
        return None
    return offer(request, form["path"], form["sent"], "You are logged in.")


def offer(
    request: HttpRequest, path: str, sent: list[Any], words: str, *, title: str = "Go on", status: int = 200
) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": title,
        "subtitle": None,
        "words": words,
        "path": path,
        "sent": sent,
        "shown": [(name, value) for name, value in sent if value and is_told(name)],
    }
    answer = TemplateResponse(request, "admin/kept_form.html", context, status=status)
    add_never_cache_headers(answer)
    return answer


def is_told(name: str) -> bool:
    return not name.startswith(("_", "initial-", "key")) and not name.endswith(("_FORMS", "-id"))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's 403 for a form whose token is of another session, in words. Nothing was done.

    The form is offered again only where the browser says that it came from a page of ours: another site could have
    written it. https://docs.djangoproject.com/en/stable/ref/settings/#csrf-failure-view
    """
    is_ours = request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"
    is_operator = request.user.is_active and getattr(request.user, "is_staff", False)
    if is_ours and not is_operator and request.path != reverse("admin:login"):
        return ask_to_log_in(request)
    can_go_on = is_ours and is_operator and request.path != reverse("admin:login")
    words = "This page was opened before you logged in the last time, perhaps in another tab, so nothing was done."
    if not is_ours:
        words = "This form did not come from a page of ours, or the browser keeps no cookies, so nothing was done."
    sent = written(request) if can_go_on else []
    path = request.get_full_path() if can_go_on else ""
    return offer(request, path, sent, words, title="Nothing was done", status=403)
