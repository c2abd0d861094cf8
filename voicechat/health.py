"""Whether the process lives, whether it can work, and the greeting that the first back end gave."""

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from voicechat.database_errors import NOT_MIGRATED, READ_ONLY, SILENT, Unavailable, unavailable
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
    """200 when the database answers, is migrated and takes writes, else 503; and which vendor is real or not."""
    try:
        what = missing()
    except Error as error:
        what = unavailable(error) or SILENT
    if what:
        return problem(503, what.code, what.detail, headers={"Retry-After": str(what.wait)})
    return JsonResponse({"status": "ok", "vendors": vendor_modes()})


def missing() -> Unavailable | None:
    """What keeps the server from working. Raises Django's database errors."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return NOT_MIGRATED
    return READ_ONLY if only_reads() else None


def only_reads() -> bool:
    """A standby, or a server that was told to take no writes (a full volume, a failover)."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_read_only') = 'on'")
        return bool(cursor.fetchone()[0])
