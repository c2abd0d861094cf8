"""Whether the process lives, whether it can work, and the greeting that the first back end gave."""

import logging
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from users.sign_in.authentication import BearerAuthentication
from voicechat.database_errors import NOT_MIGRATED, NOT_WRITABLE, SILENT, Unavailable, unavailable
from voicechat.errors import problem, reads_only
from voicechat.front.counts import counts
from voicechat.jobs_check import details, jobs_check
from voicechat.redis_check import redis_check
from voicechat.vendor_modes import vendor_modes
from voicechat.writable import write_check

logger = logging.getLogger(__name__)

NOT_READY = Unavailable("not_ready", "Not ready.", 2)


@reads_only
def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Hello World!", content_type="text/html; charset=utf-8")


@reads_only
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@reads_only
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers, is migrated and takes writes, else 503. Strangers learn that alone, and the log
    says why; staff, and whoever develops in open mode, read that too, which vendor is real, sandboxed or off, and
    whether Redis answers: without it the server works, and counts less; and whether jobs are done in time."""
    try:
        what = missing()
    except Error as error:
        what = unavailable(error) or SILENT
    if what is None:
        redis, jobs = redis_check.state(), jobs_check.look()  # whoever asks: the log is for those who are not told here
        told: dict[str, Any] = {}
        if is_told(request):
            told = {"vendors": vendor_modes(), "redis": redis, "jobs": details(jobs), "polls": asdict(counts)}
        return JsonResponse({"status": "ok", **told})
    logger.log(logging.ERROR if what in NOT_WRITABLE else logging.WARNING, "Not ready: %s", what.detail)
    words = what if is_told(request) else NOT_READY
    return problem(503, words.code, words.detail, headers={"Retry-After": str(what.wait)})


def missing() -> Unavailable | None:
    """What keeps the server from working. Raises Django's database errors."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return NOT_MIGRATED
    return write_check.why_not()


def is_told(request: HttpRequest) -> bool:
    return (settings.OPEN_MODE and not settings.PRODUCTION) or is_staff(request)


def is_staff(request: HttpRequest) -> bool:
    """By a bearer token, as everywhere outside the admin. A probe without one asks nobody for anything, and nobody is
    known while the database does not answer."""
    if settings.OPEN_MODE or "Authorization" not in request.headers:
        return False
    try:
        found = BearerAuthentication().authenticate(Request(request))
    except (APIException, Error):
        return False
    return found is not None and found[0].is_staff
