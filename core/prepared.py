"""Queries whose SQL is made once.

Building a query set and compiling it costs several times what the database needs to answer it: too much for reads that
every open page repeats each second. `make bench` shows what it gains.

There is one text for any count of ids, for they are one parameter: an array, or on SQLite a JSON list.
"""

import json
from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, ForeignObject, Lookup, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from core.rows import RowSerializer, Shape

T = TypeVar("T")
Key = int | str
Ids = Collection[int]
Rows = list[dict[str, Any]]
Values = tuple[Any, ...]

MARKS = 2**62
"""From here on, numbers stand for the keys while the SQL is made, as text for text. No table gets that far."""
IDS = object()
"""Stands for the ids while the SQL is made."""


@ForeignObject.register_lookup  # which inherits none of a field's
@Field.register_lookup
class AnyOf(Lookup[Any]):
    """`pk__any=ids` as `pk__in=ids`, by one parameter however many ids there are. Only for queries prepared here."""

    lookup_name = "any"
    prepare_rhs = False

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        return self.written(compiler, connection, "= ANY(%s)")

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        return self.written(compiler, connection, "IN (SELECT value FROM json_each(%s))")

    def written(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, condition: str) -> tuple[str, list[Any]]:
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} {condition}", [*parameters, self.rhs]


def as_parameter(ids: Ids) -> object:
    return list(ids) if connection.vendor == "postgresql" else json.dumps(list(ids))


def prepared(build: Callable[[Sequence[Any]], QuerySet[Any, Any]], columns: Sequence[str]) -> Callable[..., Rows]:
    """Gives the rows of `build(keys)`, a query set in which nothing but the keys varies: always as many, ids or text.

    `columns` are the lookups to read. Values come as the driver gives them: a time is in UTC, on SQLite without saying
    so.
    """

    @cache  # by the keys' types: as many texts as there are ways to call it
    def compiled(kinds: tuple[type, ...]) -> tuple[str, tuple[Any, ...], list[Any]]:
        marks = [kind(MARKS + place) for place, kind in enumerate(kinds)]
        return *build(marks).values_list(*columns).query.sql_with_params(), marks

    def rows(keys: Sequence[Key]) -> Rows:
        sql, marked, marks = compiled(tuple(map(type, keys)))
        meant = dict(zip(marks, keys, strict=True))
        found = execute(sql, [meant.get(value, value) for value in marked])
        return [dict(zip(columns, values, strict=True)) for values in found]

    return rows


def prepared_shapes(
    build: Callable[[Any], QuerySet[Any, Any]], serializer: type[RowSerializer]
) -> Callable[[Ids], list[Shape]]:
    """As `prepared_values`, but gives each row as the serializer writes it."""
    return prepared_values(build, serializer.columns, serializer.from_values)


def prepared_values(
    build: Callable[[Any], QuerySet[Any, Any]], columns: Sequence[str], write: Callable[[Values], T]
) -> Callable[[Ids], list[T]]:
    """Gives what `write` makes of each row's values, in the order of the columns, of `build(ids)`: a query set in which
    nothing varies but the ids, by the lookup `any`. Values come as those of `prepared`."""

    @cache
    def compiled() -> tuple[str, tuple[Any, ...]]:
        return build(IDS).values_list(*columns).query.sql_with_params()

    def rows(ids: Ids) -> list[T]:
        if not ids:
            return []
        sql, marked = compiled()
        meant = as_parameter(ids)
        return list(map(write, execute(sql, [meant if value is IDS else value for value in marked])))

    return rows


def execute(sql: str, parameters: list[Any]) -> list[Values]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: list[Values] = cursor.fetchall()
        return found
