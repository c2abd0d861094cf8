"""All that the project's tables hold: to see that a refused request has written nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import connection

from users.models import IssuerKeys

APPS = ("users", "groups", "notifications", "billing", "voice", "jobs")
MODELS = [
    model
    for app in APPS
    for model in apps.get_app_config(app).get_models(include_auto_created=True)
    if model is not IssuerKeys  # what the issuer publishes: nothing in it is a client's, nor a person's
]
READING = ("SELECT ", "SAVEPOINT ", "RELEASE ", "ROLLBACK ")


def all_rows(*, but: str = "") -> dict[str, list[Any]]:
    """By plain SQL, which is quick: the matrix asks for them two thousand times. `but` is a column to leave out."""
    quote = connection.ops.quote_name
    rows = {}
    with connection.cursor() as cursor:
        for model in MODELS:
            table, key = model._meta.db_table, model._meta.pk.column
            columns = ", ".join(
                quote(field.column) for field in model._meta.local_concrete_fields if field.column != but
            )
            cursor.execute(f"SELECT {columns} FROM {quote(table)} ORDER BY {quote(key)}")  # noqa: S608  # our own names
            rows[table] = cursor.fetchall()
    return rows


def changed(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> list[str]:
    """The tables that differ."""
    return [table for table in before if before[table] != after[table]]


@contextmanager
def writes() -> Iterator[list[str]]:
    """The statements that may write, as they come: where there are none, no table differs."""
    found: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        if not sql.startswith(READING):
            found.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield found
