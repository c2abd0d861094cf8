"""The password, once more, before what an operator cannot take back: whoever finds their browser open has it not."""

import logging
import time
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from core.addresses import full_address
from users.operators.asking import ask_for, take

logger = logging.getLogger(__name__)

FIELD = "password_once_more"
GIVEN_AT = "password_given_at"
WRONG = "wrong_passwords"
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
        take(FIELD, request)
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


def ask(request: HttpRequest, *, is_wrong: bool) -> HttpResponse:
    said = {"title": "Your password, once more", "minutes": settings.ADMIN_PASSWORD_GOOD_FOR // 60}
    return ask_for(FIELD, request, "admin/password_once_more.html", is_wrong=is_wrong, **said)
