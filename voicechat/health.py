"""Whether the process lives, whether it can work, and the greeting that the first back end gave."""

import logging

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from users.sign_in.authentication import BearerAuthentication
from voicechat.errors import problem, reads_only
from voicechat.vendor_modes import vendor_modes

logger = logging.getLogger(__name__)


@reads_only
def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Hello World!", content_type="text/html; charset=utf-8")


@reads_only
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@reads_only
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers and is migrated, else 503. Strangers learn that alone, and the log says the rest;
    staff, and whoever develops in open mode, read which vendor is real, sandboxed or off."""
    try:
        fault = why_not_ready()
        if fault:
            logger.warning("Not ready: %s", fault)
            return problem(503, "not_ready", fault if is_told(request) else "Not ready.", headers={"Retry-After": "2"})
        return JsonResponse({"status": "ok", "vendors": vendor_modes()} if is_told(request) else {"status": "ok"})
    except DatabaseError as error:
        logger.warning("Not ready: the database does not answer", exc_info=error)
        return problem(503, "not_ready", "Not ready.", headers={"Retry-After": "2"})


def why_not_ready() -> str:
    """A sentence, or nothing. Raises DatabaseError where the database does not answer."""
    executor = MigrationExecutor(connection)
    is_behind = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return "The database is not migrated: run `manage.py migrate`." if is_behind else ""


def is_told(request: HttpRequest) -> bool:
    return (settings.OPEN_MODE and not settings.PRODUCTION) or is_staff(request)


def is_staff(request: HttpRequest) -> bool:
    """By a bearer token, as everywhere outside the admin. A probe without one asks nobody for anything."""
    if settings.OPEN_MODE or "Authorization" not in request.headers:
        return False
    try:
        found = BearerAuthentication().authenticate(Request(request))
    except APIException:
        return False
    return found is not None and found[0].is_staff
