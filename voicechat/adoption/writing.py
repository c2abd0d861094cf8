"""Many rows at once into one of the new tables: by COPY on PostgreSQL, by one statement for many on SQLite."""

from collections.abc import Iterable
from datetime import datetime
from io import StringIO
from typing import Any

from django.db import connection

from voicechat.adoption.steps import Insert

NULL = "\\N"
ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
"""Of COPY's text format: https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2"""


def write(inserts: Iterable[Insert]) -> None:
    """In the transaction that is open. What a column's default is for, the database fills in."""
    for each in inserts:
        if each.rows:
            (copy if connection.vendor == "postgresql" else execute)(each)


def copy(insert: Insert) -> None:
    lines = StringIO("".join("\t".join(map(field, row)) + "\n" for row in insert.rows))
    with connection.cursor() as cursor:
        cursor.copy_expert(f'COPY "{insert.table}" ({names(insert)}) FROM STDIN', lines)


def field(value: Any) -> str:
    if value is None:
        return NULL
    return value.translate(ESCAPES) if isinstance(value, str) else str(value)


def execute(insert: Insert) -> None:
    places = ", ".join(["%s"] * len(insert.columns))
    with connection.cursor() as cursor:
        cursor.executemany(
            f'INSERT INTO "{insert.table}" ({names(insert)}) VALUES ({places})',
            [tuple(map(as_sqlite, row)) for row in insert.rows],
        )


def as_sqlite(value: Any) -> Any:
    """Times, which are all UTC here, as Django writes them: without saying so."""
    return value.isoformat(" ").removesuffix("+00:00") if isinstance(value, datetime) else value


def names(insert: Insert) -> str:
    return ", ".join(f'"{column}"' for column in insert.columns)
