"""The password, once more, before what an operator cannot take back: whoever finds their browser open has it not."""

import logging
import time
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from core.addresses import full_address

logger = logging.getLogger(__name__)

FIELD = "password_once_more"
GIVEN_AT = "password_given_at"
WRONG = "wrong_passwords"
OWN = (FIELD, "csrfmiddlewaretoken")
"""What the page asks for itself."""
MOST_WRONG = 5
"""So many in a row, and the session is over: the login counts further tries."""


@sensitive_post_parameters(FIELD)
def password_first(request: HttpRequest) -> HttpResponse | None:
    """The answer in whose place a write has to wait; None where the password was given a moment ago, or is now.

    The page that asks carries all that was sent along, so that nothing has to be written twice.
    """
    given = request.POST.get(FIELD)
    if given is not None and is_right(request, given):
        note_password(request)
        request.session.cycle_key()
        request.POST = without_ours(request.POST)  # type: ignore[assignment]  # what the page itself expects
        return None
    if given is None and is_recent(request):
        return None
    if request.session.get(WRONG, 0) >= MOST_WRONG:
        logout(request)
        return HttpResponseRedirect(reverse("admin:login"))
    return ask(request, is_wrong=given is not None)


def is_right(request: HttpRequest, given: str) -> bool:
    user: Any = request.user
    if user.check_password(given):
        return True
    request.session[WRONG] = request.session.get(WRONG, 0) + 1
    fields = {"user_id": user.pk, "address": full_address(request)}
    logger.warning("An operator's password was wrong when it was asked once more", extra={"fields": fields})
    return False


def is_recent(request: HttpRequest) -> bool:
    since = time.time() - float(request.session.get(GIVEN_AT, 0))
    return 0 <= since < settings.ADMIN_PASSWORD_GOOD_FOR


def note_password(request: HttpRequest) -> None:
    request.session[GIVEN_AT] = time.time()
    request.session.pop(WRONG, None)


def without_ours(sent: QueryDict) -> QueryDict:
    kept = sent.copy()
    kept.pop(FIELD, None)
    return kept


def ask(request: HttpRequest, *, is_wrong: bool) -> HttpResponse:
    kept = [(name, value) for name, values in request.POST.lists() if name not in OWN for value in values]
    context = {
        **admin.site.each_context(request),
        "title": "Your password, once more",
        "subtitle": None,
        "field": FIELD,
        "kept": kept,
        "is_wrong": is_wrong,
        "minutes": settings.ADMIN_PASSWORD_GOOD_FOR // 60,
    }
    return TemplateResponse(request, "admin/password_once_more.html", context)
