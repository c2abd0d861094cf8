"""Every error as RFC 9457 problem+json, from the API and from Django itself. https://www.rfc-editor.org/rfc/rfc9457"""

import logging
import math
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from http import HTTPStatus
from typing import Any

import orjson
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils.html import escape
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException, ErrorDetail, ParseError, ValidationError
from rest_framework.views import set_rollback

from core.metrics.counted import counted
from core.metrics.families import WEBHOOKS_REFUSED
from voicechat.database_errors import NOT_WRITABLE, Unavailable, unavailable

logger = logging.getLogger(__name__)

SIGNATURE_INVALID = "signature_invalid"
MULTIPART = "Multipart form parse error"
"""What REST framework puts before Django's words: "Invalid boundary in multipart: None"."""


def problem(
    status: int,
    code: str,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> HttpResponse:
    """A problem document. `code` is a stable word for programs, `detail` a sentence for people."""
    detail = detail.encode(errors="replace").decode()  # what a client sent may be quoted in it
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": errors or [],
    }
    return HttpResponse(orjson.dumps(body), content_type="application/problem+json", status=status, headers=headers)


def reads_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A plain view that can only be read; any other method is 405."""

    @csrf_exempt  # or another method would be CSRF's page, not 405
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method in ("GET", "HEAD"):
            return view(request, *args, **kwargs)
        detail = f'Method "{request.method}" not allowed.'
        return problem(405, "method_not_allowed", detail, headers={"Allow": "GET, HEAD"})

    return guarded


def handle(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """REST framework's exception handler. None leaves the error to Django, which answers `server_error`."""
    set_rollback()
    if isinstance(error, APIException):
        if getattr(error.detail, "code", "") == SIGNATURE_INVALID:
            counted.count(WEBHOOKS_REFUSED, context["request"].resolver_match.route)
        return refusal(error)
    if isinstance(error, IntegrityError):
        logger.warning("Two changes met", exc_info=error)
        return problem(409, "conflict", "What this needs was changed or deleted at the same moment. Try again.")
    if isinstance(error, ObjectDoesNotExist):
        logger.warning("Something went away in between", exc_info=error)
    if isinstance(error, Http404 | ObjectDoesNotExist):
        return problem(404, "not_found", "There is nothing here, or nothing that you may see.")
    if isinstance(error, PermissionDenied):
        return problem(403, "permission_denied", "You may not do this.")
    if isinstance(error, RequestDataTooBig):
        return problem(413, "body_too_large", "The body is too large.")
    if isinstance(error, SuspiciousOperation | UnreadablePostError):
        return problem(400, "bad_request", "The request cannot be read.")
    if what := unavailable(error):
        level = logging.ERROR if what in NOT_WRITABLE else logging.WARNING
        logger.log(level, "The database failed: %s", what.code, exc_info=error)
        return problem(503, what.code, what.detail, headers={"Retry-After": str(what.wait)})
    return None


def refusal(error: APIException) -> HttpResponse:
    headers = {}
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(max(1, math.ceil(wait)))  # whoever waits so long is not too early
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if etag := getattr(error, "etag", None):
        headers["ETag"] = etag
    if isinstance(error, ValidationError):
        errors = list(field_errors(error.detail))
        detail = " ".join(
            f"{each['field']}: {each['message']}" if each["field"] else each["message"] for each in errors
        )
        return problem(error.status_code, "invalid", detail, errors, headers)
    detail = (
        error.detail if isinstance(error.detail, ErrorDetail) else ErrorDetail(str(error.detail), error.default_code)
    )
    if isinstance(error, ParseError) and detail.startswith(MULTIPART):
        return problem(400, str(detail.code), "The body is not the multipart that its Content-Type says.")
    return problem(error.status_code, str(detail.code), str(detail), headers=headers)


def field_errors(detail: Any, field: str = "") -> Iterator[dict[str, str]]:
    """Flattens REST framework's nested errors: {"tags": {0: ["…"]}} becomes {"field": "tags.0", "message": "…"}."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            path = field if name == "non_field_errors" else f"{field}.{name}".lstrip(".")
            yield from field_errors(inner, path)
    elif isinstance(detail, list):
        for inner in detail:
            yield from field_errors(inner, field)
    else:
        yield {"field": field, "message": str(detail)}


def is_page(request: HttpRequest) -> bool:
    """The admin and the docs page are read by people: their errors stay HTML."""
    return request.path_info.startswith(("/admin/", "/api/docs/")) or request.path_info in ("/admin", "/api/docs")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    logger.warning("A request was refused: %s", type(exception).__name__)
    if is_page(request):
        return defaults.bad_request(request, exception)
    return handle(exception, {}) or problem(400, "bad_request", "The request cannot be read.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_page(request):
        return defaults.permission_denied(request, exception)
    return problem(403, "permission_denied", "You may not do this.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_page(request):
        return defaults.page_not_found(request, exception)
    return problem(404, "not_found", f"There is nothing at {request.path}.")


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Called while the exception is handled. Logged here, for Django's own line would quote the path."""
    error = sys.exc_info()[1]
    if what := unavailable(error):
        logger.warning("The database failed: %s", what.code, exc_info=error)
        return refused_by_database(request, what)
    logger.error("A request failed", exc_info=error)
    if is_page(request):
        return defaults.server_error(request)
    return problem(500, "server_error", "Something went wrong on our side. It has been logged.")


def refused_by_database(request: HttpRequest, what: Unavailable) -> HttpResponse:
    wait = {"Retry-After": str(what.wait)}
    if not is_page(request):
        return problem(503, what.code, what.detail, headers=wait)
    page = f"<!doctype html><html lang=en><title>503</title><h1>Not now</h1><p>{escape(what.detail)}</p></html>"
    return HttpResponse(page, status=503, headers=wait)
