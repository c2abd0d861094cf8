"""The id of each request, and its one line in the log."""

import logging
import re
from datetime import UTC, datetime
from time import perf_counter
from uuid import uuid4

import orjson
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core.metrics.counted import counted
from voicechat.logs import request_id
from voicechat.middleware import Middleware

logger = logging.getLogger("voicechat.requests")

LOGGED_IN_FRONT = "voicechat.logged_in_front"
"""In the environ of a request whose line whoever called the application writes."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
REQUEST_ID = re.compile("[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""nginx's $request_id, or a UUID as other proxies write it: by anything freer a client could write into the log."""


class RequestIdMiddleware(Middleware):
    """Names each answer, by the id that a proxy gave its request or by a fresh one: what a person can quote to us.

    All log lines of the request carry that id; the last of them says how it was answered.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        begun = perf_counter()
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        name = given if REQUEST_ID.fullmatch(given) else uuid4().hex
        token = request_id.set(name)
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = name
            if LOGGED_IN_FRONT not in request.META:
                log_answer(request, response.status_code, 1000 * (perf_counter() - begun))
        finally:
            request_id.reset(token)
        return response


def log_answer(request: HttpRequest, status: int, milliseconds: float) -> None:
    """The route's pattern, not the path: that, and a method of the client's own making, may hold anything."""
    method = request.method if request.method in METHODS else None
    route = request.resolver_match.route if request.resolver_match else None
    counted.answered(method or "other", route or "none", status, milliseconds / 1000)
    fields = {
        "method": method,
        "route": route,
        "status": status,
        "ms": round(milliseconds, 1),
        "user_id": person(request),
    }
    logger.info("answered", extra={"fields": fields})


def person(request: HttpRequest) -> int | None:
    """Who asked. In the admin only if that is known by now: to ask would be a query."""
    name = "_cached_user" if request.path_info.startswith("/admin") else "user"
    pk: int | None = getattr(getattr(request, name, None), "pk", None)
    return pk


def answered_line(request_id: str, route: str, status: int, milliseconds: float, user_id: int | None) -> str:
    """The same line of a GET, made by hand: it costs a tenth."""
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": "INFO",
        "logger": logger.name,
        "message": "answered",
        "request_id": request_id,
        "method": "GET",
        "route": route,
        "status": status,
        "ms": round(milliseconds, 1),
        "user_id": user_id,
    }
    return orjson.dumps(line).decode() + "\n"
