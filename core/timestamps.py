"""The database's own clock, for columns that raw SQL leaves out."""

import time
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func
from django.db.models.functions import Now
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone


class DatabaseNow(Now):
    """Now, written on SQLite as Django writes times, for SQLite compares them as text: with six digits behind the
    point, and in a second's first millisecond with none."""

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, Any]:
        template = "REPLACE(STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f000', 'NOW'), '.000000', '')"
        return self.as_sql(compiler, connection, template=template, **extra_context)


def created_at() -> "models.DateTimeField[Any, Any]":
    """The specification's `createdAt`."""
    return since_inserted("createdAt")


def since_inserted(db_column: str) -> "models.DateTimeField[Any, Any]":
    """A time that is at first the row's own, for whoever inserts: Django, or raw SQL that leaves it out."""
    return models.DateTimeField(default=timezone.now, db_default=DatabaseNow(), db_column=db_column, editable=False)


VERSIONS_SINCE = 1_767_225_600_000_000
"""Microseconds from 1970 to 2026, which sums of versions leave out: SQLite's must stay below 2**63."""


class DatabaseMicroseconds(Func):
    """Microseconds since 1970. SQLite's clock has milliseconds: the rest is drawn."""

    template = "(EXTRACT(EPOCH FROM STATEMENT_TIMESTAMP()) * 1000000)::bigint"
    output_field = models.BigIntegerField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, Any]:
        template = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000 + ABS(RANDOM() %%%% 1000)"
        return self.as_sql(compiler, connection, template=template, **extra_context)


def microseconds_now() -> int:
    return time.time_ns() // 1000


def version() -> "models.BigIntegerField[Any, Any]":
    """Raised by the database itself with each change (`users/triggers.py`, `groups/triggers.py`). It begins at the
    clock, so that a row whose id was somebody else's before is not taken for theirs."""
    return models.BigIntegerField(default=microseconds_now, db_default=DatabaseMicroseconds(), editable=False)
