"""The admin's site: what holds for each of its pages, whichever app it belongs to."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers

from users.operators.kept import KEPT, LOG_IN_TEMPLATE, ask_to_log_in, go_on, was_here
from users.operators.overview import shown_to
from users.operators.password import password_first
from users.operators.reasons import reason_first

DELETING, PASSWORD = "_delete", "_password_change"
"""How the names of addresses end behind which somebody loses something."""


class OperatorSite(AdminSite):
    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002  # Django's
        """Who may be here is asked first, then the password and why, then the page, which asks who may do this."""

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            answer = password_first(request) if erases(request) else None
            answer = answer or (reason_first(request) if deletes(request) else None)
            return answer or view(request, *args, **kwargs)

        own = super().admin_view(guarded, cacheable)

        @wraps(own)
        def kept(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            """A form that comes when the session is over is not lost to the log-in."""
            is_lost = request.method == "POST" and not request.user.is_authenticated and was_here(request)
            return ask_to_log_in(request) if is_lost else own(request, *args, **kwargs)

        return kept

    login_template = LOG_IN_TEMPLATE

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**(extra_context or {}), "panels": shown_to(request)})

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """`next` leads to a page of the admin's own, and nowhere else."""
        if own_places(request.GET) is not request.GET:
            return HttpResponseRedirect(request.path)
        request.POST = own_places(request.POST)  # type: ignore[assignment]  # a copy of it
        kept = request.POST.get(KEPT, "")
        came_back = request.method == "GET" and REDIRECT_FIELD_NAME in request.GET
        is_over = bool(kept) or (came_back and settings.SESSION_COOKIE_NAME in request.COOKIES)
        answer = super().login(request, {**(extra_context or {}), "kept": kept, "is_over": is_over})
        return (kept and answer.status_code == 302 and go_on(request, kept)) or answer

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        answer = super().logout(request, extra_context)
        add_never_cache_headers(answer)
        answer["Clear-Site-Data"] = '"cache", "storage"'
        return answer


def erases(request: HttpRequest) -> bool:
    """Deletions, and another's password."""
    return deletes(request) or (request.method == "POST" and name_of(request).endswith(PASSWORD))


def deletes(request: HttpRequest) -> bool:
    """One by one or together, once they are confirmed."""
    together = request.POST.get("action") == "delete_selected" and "post" in request.POST
    return request.method == "POST" and (together or name_of(request).endswith(DELETING))


def name_of(request: HttpRequest) -> str:
    return (request.resolver_match.url_name if request.resolver_match else None) or ""


def own_places(query: QueryDict) -> QueryDict:
    if query.get(REDIRECT_FIELD_NAME, "/admin/").startswith("/admin/"):
        return query
    kept = query.copy()
    del kept[REDIRECT_FIELD_NAME]
    return kept
