"""The database's own clock, for columns that raw SQL leaves out."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Now
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone


class DatabaseNow(Now):
    """Now, written on SQLite with six digits, as Django writes times: SQLite compares them as text."""

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, Any]:
        template = "STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f000', 'NOW')"
        return self.as_sql(compiler, connection, template=template, **extra_context)


def created_at() -> "models.DateTimeField[Any, Any]":
    """The specification's `createdAt`."""
    return since_inserted("createdAt")


def since_inserted(db_column: str) -> "models.DateTimeField[Any, Any]":
    """A time that is at first the row's own, for whoever inserts: Django, or raw SQL that leaves it out."""
    return models.DateTimeField(default=timezone.now, db_default=DatabaseNow(), db_column=db_column, editable=False)
