"""What is settled on each new connection.

Behind a pooler such as PgBouncer, in transaction mode, a connection is somebody else's after each transaction: whatever
is set on it, or opened (`DECLARE … CURSOR WITH HOLD`), is left to the next one, or gone.
https://www.pgbouncer.org/features.html
"""

import logging
from contextlib import suppress
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)

POOLER = (
    "The database is behind a pooler that DATABASE_URL does not tell of: write pool=transaction behind its question "
    "mark, and let the pooler set the time-outs."
)


def is_pooled(connection: BaseDatabaseWrapper) -> bool:
    return bool(connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"))


def keep_private(connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    """SQLite's file holds everybody's rows: it and what SQLite lays beside it is its owner's alone, whatever the umask.

    What is made later takes the file's mode over. https://www.sqlite.org/wal.html
    """
    if connection.vendor != "sqlite":
        return
    for end in ("", "-wal", "-shm", "-journal"):
        path = Path(f"{connection.settings_dict['NAME']}{end}")
        with suppress(OSError):  # not there, in memory, or somebody else's
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)


def notice_pooler(connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    """Finds out by itself where nobody has said so: a pooler gives its clients another process id than the server's."""
    if connection.vendor != "postgresql" or is_pooled(connection):
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        served_by = cursor.fetchone()[0]
    if served_by != connection.connection.info.backend_pid:
        connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = True
        logger.warning(POOLER)


def bound_statements(connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    """A request waits neither long for a lock nor for a statement. Commands may: a migration takes what it takes.

    A pooler sets that itself (docs/operating.md).
    """
    if connection.vendor == "postgresql" and not is_pooled(connection):
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '7s'; SET lock_timeout = '5s'")


def wrong_encoding(connection: BaseDatabaseWrapper) -> str | None:
    """A sentence about a database that cannot keep every name. Connects."""
    if connection.vendor != "postgresql":
        return None
    connection.ensure_connection()
    encoding = connection.connection.info.parameter_status("server_encoding")
    if encoding in ("UTF8", None):
        return None
    return (
        f"The database is encoded in {encoding}, and names and emoji need UTF8: make another one, by "
        "`createdb --encoding=UTF8 --template=template0 NAME`."
    )
