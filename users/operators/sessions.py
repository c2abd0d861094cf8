"""How long an operator's session lasts, what ends it, and what the log tells of its beginning and its end."""

import logging
import time
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, user_logged_in, user_logged_out, user_login_failed
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone

from core.addresses import full_address
from users.models import User
from users.operators.password import note_password

logger = logging.getLogger(__name__)

BEGAN_AT, SEEN_AT = "began_at", "seen_at"
NOTED_EACH = 60
"""Seconds between two writes of when a session was last used: a page is no write each time."""


def follow(request: HttpRequest) -> None:
    """Ends a session that has lasted or lain idle too long, and notes that it is used."""
    session, now = request.session, time.time()
    if SESSION_KEY not in session:
        return
    if is_over(session, now):
        logger.info("An operator's session is over", extra={"fields": told(request, session.get(SESSION_KEY))})
        session.flush()
    elif now - session[SEEN_AT] >= NOTED_EACH:
        session[SEEN_AT] = now


def is_over(session: SessionBase, now: float) -> bool:
    """One without a beginning is not one of ours."""
    lasted, idle = now - session.get(BEGAN_AT, 0), now - session.get(SEEN_AT, 0)
    return not (0 <= lasted < settings.ADMIN_SESSION_LASTS and 0 <= idle < settings.SESSION_COOKIE_AGE)


def end_if_nobodys(request: HttpRequest) -> None:
    """Whoever was disabled, or is staff no more, has no session that could come to life again with their rights."""
    if not hasattr(request, "_cached_user") or SESSION_KEY not in request.session:
        return  # nobody has asked who it is, or it is nobody
    if not (request.user.is_active and getattr(request.user, "is_staff", False)):
        request.session.flush()


def end_all(people: Iterable[int]) -> int:
    """Ends every session of these people, and says how many there were. Only operators have any: they are few."""
    known = {str(pk) for pk in people}
    living = Session.objects.filter(expire_date__gt=timezone.now())
    theirs = [each.pk for each in living if str(each.get_decoded().get(SESSION_KEY)) in known]
    Session.objects.filter(pk__in=theirs).delete()
    return len(theirs)


def begin(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Django has given the session a new key by now."""
    request.session[BEGAN_AT] = request.session[SEEN_AT] = time.time()
    note_password(request)
    logger.info("An operator logged in", extra={"fields": told(request, user.pk)})


def tell_end(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    if user is not None:
        logger.info("An operator logged out", extra={"fields": told(request, user.pk)})


def tell_failure(credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Whose account it was, if it is anybody's. Never what was typed: a password gets into the wrong field easily."""
    typed = str(credentials.get("username") or "")
    known = User.objects.with_email(typed).values_list("pk", flat=True).first() if typed else None
    logger.warning("A log-in failed", extra={"fields": told(request, known)})


def told(request: HttpRequest | None, user_id: Any) -> dict[str, Any]:
    pk = int(user_id) if user_id is not None else None
    return {"user_id": pk, "address": full_address(request) if request else None}


def connect() -> None:
    user_logged_in.connect(begin, dispatch_uid="users.operators.begin")
    user_logged_out.connect(tell_end, dispatch_uid="users.operators.tell_end")
    user_login_failed.connect(tell_failure, dispatch_uid="users.operators.tell_failure")
