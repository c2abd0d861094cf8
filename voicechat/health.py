"""Whether the process lives, whether it can work, and the greeting that the first back end gave."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from voicechat.errors import problem, reads_only
from voicechat.vendor_modes import vendor_modes


@reads_only
def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Hello World!", content_type="text/html; charset=utf-8")


@reads_only
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@reads_only
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers and is migrated, else 503; and which vendor is real, sandboxed or off."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return problem(503, "database_unavailable", "The database does not answer.", headers={"Retry-After": "2"})
    if missing:
        return problem(503, "not_migrated", "The database is not migrated: run `manage.py migrate`.")
    return JsonResponse({"status": "ok", "vendors": vendor_modes()})
