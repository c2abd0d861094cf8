"""What every request passes through. The chain is short: the polled reads are nearly all the traffic."""

import logging
import re
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import DisallowedHost, MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin

from billing.notices import notify
from core.deadline import deadline
from core.preconditions import entity_tag, is_named
from users.operators.sessions import end_if_nobodys, follow
from users.operators.time_zone import follow as follow_zone
from voicechat.errors import problem

logger = logging.getLogger(__name__)

UNTRUSTED_PROXY = (
    "Requests come with X-Forwarded-For, and TRUSTED_PROXIES is not set: everybody behind the proxy counts as one "
    "address. Set it to the proxy's addresses, if there is one."
)
HOST = re.compile(r"((?=.*[a-z])[a-z0-9-]+(\.[a-z0-9-]+)*|[0-9]{1,3}(\.[0-9]{1,3}){3})(:[0-9]{1,5})?", re.IGNORECASE)
"""As a machine is called, or its IPv4 address; a bare number is neither, and may be anybody's."""
LONGEST_HOST = 100
LENGTH = re.compile("[0-9]{1,19}")
MOST_READ = 2 * settings.MAX_UPLOAD_BODY
"""Bytes of a body that are read though it is too large, so that its client hears why."""
GetResponse = Callable[[HttpRequest], HttpResponseBase]


class Middleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response


class DeadlineMiddleware(Middleware):
    """Bounds the time that this request may spend on vendors."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with deadline():
            return self.get_response(request)


class AccessModeMiddleware(Middleware):
    """Says on every answer that nobody is asked to sign in."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if settings.OPEN_MODE:
            response["X-Access-Mode"] = "open"
        return response


class HostMiddleware(Middleware):
    """Refuses a request under a name that is none of ALLOWED_HOSTS. Probes ask by an address, and need no name."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.rstrip("/") not in ("", "/healthz", "/readyz"):
            try:
                request.get_host()
            except DisallowedHost:  # answered 400
                tell_of_host(request.META.get("HTTP_HOST", ""))
                raise
        return self.get_response(request)


def tell_of_host(host: str) -> None:
    """The one thing that a client sent and the log says: a server's name is nobody's, and without it nobody finds what
    is missing in ALLOWED_HOSTS. One that does not look like a name is not told."""
    name = host if len(host) <= LONGEST_HOST and HOST.fullmatch(host) else "no name of a host"
    logger.warning("A request came under a name that is not in ALLOWED_HOSTS", extra={"fields": {"host": name}})


class UntrustedProxyMiddleware(Middleware):
    """Tells, once, that there seems to be a proxy whose word is not taken: all its clients then count as one address.

    Where TRUSTED_PROXIES is set it is not in the chain.
    """

    def __init__(self, get_response: GetResponse) -> None:
        if settings.TRUSTED_PROXIES:
            raise MiddlewareNotUsed
        super().__init__(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_X_FORWARDED_FOR" in request.META:
            tell_of_proxy()
        return self.get_response(request)


@cache
def tell_of_proxy() -> None:
    """Once in each process: in the log, and to operators in the admin."""
    logger.warning(UNTRUSTED_PROXY)
    notify("proxy", UNTRUSTED_PROXY)


def is_upload(path: str) -> bool:
    return path.startswith("/api/upload")


def largest_body(path: str) -> int:
    """Bytes that a request to this path may bring."""
    return settings.MAX_UPLOAD_BODY if is_upload(path) else settings.MAX_BODY


class BodyMiddleware(Middleware):
    """Refuses bodies that are too long, that end too soon, or in another charset than UTF-8.

    `voicechat.front` has read them by now, and says their length where they came in chunks.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        limit = largest_body(request.path_info)
        declared = request.META.get("CONTENT_LENGTH") or "0"
        if not LENGTH.fullmatch(declared):
            return problem(400, "bad_request", "The Content-Length is not a length.")
        length = int(declared)
        if length > limit:
            return problem(413, "body_too_large", f"The body is larger than {limit // 1024} KiB.")
        if request.content_params and request.content_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
            request.encoding = "utf-8"
            return problem(415, "unsupported_charset", "Send text as UTF-8.")
        encoding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
        if length and encoding not in ("", "identity"):
            detail = "Send the body as it is, without a Content-Encoding: compressed bodies are not read."
            return problem(415, "unsupported_encoding", detail, headers={"Accept-Encoding": "identity"})
        # An upload's parser looks for its last line itself.
        if length and not is_upload(request.path_info) and self.is_cut_off(request, length):
            return problem(400, "bad_request", "The body ends before its declared length.")
        return self.get_response(request)

    def is_cut_off(self, request: HttpRequest, length: int) -> bool:
        """Whether the connection broke inside the body. Half a form is one too: amountToAdd=20 of amountToAdd=2000."""
        try:
            return len(request.body) < length
        except UnreadablePostError:
            return True


class FinalSlashMiddleware(Middleware):
    """Serves /api/users/ as /api/users, without a redirect; /api/users/1%2Flast4 is nothing.

    Of the path, the server has decoded that %2F by now. RAW_URI is gunicorn's.

    Only `path_info` changes: `request.path` keeps what the caller wrote, over which Twilio computes its signature.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "%2f" in request.META.get("RAW_URI", "").partition("?")[0].lower():
            return problem(404, "not_found", "There is nothing here. In a path, %2F is a letter and no slash.")
        path = request.path_info
        if len(path) > 1 and path.endswith("/") and not path.startswith("/admin/"):
            request.path_info = path[:-1]
        return self.get_response(request)


class ETagMiddleware(Middleware):
    """An ETag over a JSON answer's body and its Link, and 304 where the client has it already; to HEAD as to GET."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not isinstance(response, HttpResponse) or request.path_info.startswith("/admin/"):
            return response
        response["Content-Length"] = str(len(response.content))
        is_read = request.method in ("GET", "HEAD")
        if not is_read or response.status_code != 200 or response["Content-Type"] != "application/json":
            return response
        response["ETag"] = etag = entity_tag(response.content, response.get("Link", ""))
        response.headers.setdefault("Cache-Control", "private, no-cache")  # keep it, but ask each time
        known = request.META.get("HTTP_IF_NONE_MATCH")
        if known is not None and is_named(etag, known):
            kept = {name: response[name] for name in ("ETag", "Cache-Control", "Vary", "Link") if name in response}
            return HttpResponseNotModified(headers=kept)
        return response


class CacheControlMiddleware(Middleware):
    """What nobody has said may be kept is kept nowhere: errors, pages, and what writes answer."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class AdminOnly(MiddlewareMixin):
    """Skips a middleware outside the admin: the API knows neither sessions nor cookies."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/admin/"):
            return super().__call__(request)  # type: ignore[return-value]  # awaitable only under ASGI
        return self.get_response(request)  # type: ignore[return-value]  # as above


class AdminSessionMiddleware(AdminOnly, SessionMiddleware):
    pass


class AdminAuthenticationMiddleware(AdminOnly, AuthenticationMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        follow(request)
        super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        end_if_nobodys(request)
        return response


class AdminTimeZoneMiddleware(AdminOnly, MiddlewareMixin):
    def process_request(self, request: HttpRequest) -> None:
        follow_zone(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        timezone.deactivate()
        return response


class AdminMessageMiddleware(AdminOnly, MessageMiddleware):
    pass
