"""The admin's site: what holds for each of its pages, whichever app it belongs to."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers

from users.operators.password import password_first

ERASING = ("_delete", "_password_change")
"""How the names of addresses end behind which somebody loses something."""


class OperatorSite(AdminSite):
    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002  # Django's
        """Who may be here is asked first, then the password, then the page, which asks who may do this."""

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            answer = password_first(request) if erases(request) else None
            return answer or view(request, *args, **kwargs)

        return super().admin_view(guarded, cacheable)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """`next` leads to a page of the admin's own, and nowhere else."""
        if own_places(request.GET) is not request.GET:
            return HttpResponseRedirect(request.path)
        request.POST = own_places(request.POST)  # type: ignore[assignment]  # a copy of it
        return super().login(request, extra_context)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        answer = super().logout(request, extra_context)
        add_never_cache_headers(answer)
        answer["Clear-Site-Data"] = '"cache", "storage"'
        return answer


def erases(request: HttpRequest) -> bool:
    """Deletions, one by one or together, once they are confirmed; and another's password."""
    if request.method != "POST":
        return False
    name = request.resolver_match.url_name if request.resolver_match else None
    together = request.POST.get("action") == "delete_selected" and "post" in request.POST
    return together or (name or "").endswith(ERASING)


def own_places(query: QueryDict) -> QueryDict:
    if query.get(REDIRECT_FIELD_NAME, "/admin/").startswith("/admin/"):
        return query
    kept = query.copy()
    del kept[REDIRECT_FIELD_NAME]
    return kept
