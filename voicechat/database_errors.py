"""What a failing database means for whoever asked: that it is not there now, is not migrated, or only reads.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from dataclasses import dataclass

from django.db import DatabaseError, Error, InterfaceError, OperationalError


@dataclass(frozen=True)
class Unavailable:
    """503: nobody's request is wrong. `wait` is in seconds."""

    code: str
    detail: str
    wait: int


SILENT = Unavailable("database_unavailable", "The database does not answer. Try again.", 2)
FULL = Unavailable("database_unavailable", "The database has no connection left. Try again.", 2)
READ_ONLY = Unavailable("database_read_only", "The database can only be read at the moment. Try again later.", 10)
NO_ROOM = Unavailable("database_full", "The database's disk is full: nothing can be changed. Try again later.", 10)
NOT_MIGRATED = Unavailable("not_migrated", "The database is not migrated: run `manage.py migrate`.", 10)
NOT_WRITABLE = (READ_ONLY, NO_ROOM)
"""Reads go on then, so that nobody notices but who wants to write: the operators must be told."""

CODES = {
    "25006": READ_ONLY,  # read_only_sql_transaction
    "42P01": NOT_MIGRATED,  # undefined_table
    "42703": NOT_MIGRATED,  # undefined_column
    "3F000": NOT_MIGRATED,  # invalid_schema_name
    "53100": NO_ROOM,  # disk_full
    "53300": FULL,  # too_many_connections
}
WORDS = {
    "remaining connection slots are reserved": FULL,  # before there is a connection psycopg2 knows no code
    "too many clients": FULL,
    "too many connections": FULL,
    "readonly database": READ_ONLY,
    "database or disk is full": NO_ROOM,
    "no such table": NOT_MIGRATED,
    "has no column named": NOT_MIGRATED,
    "no such column": NOT_MIGRATED,
}


def unavailable(error: BaseException | None) -> Unavailable | None:
    """None where the error is another one, such as a row that is refused."""
    if not isinstance(error, Error):
        return None
    code = getattr(error.__cause__, "pgcode", None)
    if code in CODES:
        return CODES[code]
    said = str(error)
    if code is None and isinstance(error, DatabaseError):
        for words, what in WORDS.items():
            if words in said:
                return what
    return SILENT if isinstance(error, OperationalError | InterfaceError) else None
