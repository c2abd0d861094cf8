"""Queries whose SQL is made once.

Building a query set and compiling it costs several times what the database needs to answer it: too much for reads that
every open page repeats each second. `make bench` shows what it gains.
"""

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import QuerySet

from core.rows import RowSerializer, Shape

T = TypeVar("T")
Build = Callable[[Sequence[Any]], QuerySet[Any, Any]]
Keys = Collection[int | str]
Rows = list[dict[str, Any]]
Values = tuple[Any, ...]

MARKS = 2**62
"""From here on, numbers stand for the keys while the SQL is made, as text for text. No table gets that far."""


def prepared(build: Build, columns: Sequence[str]) -> Callable[[Keys], Rows]:
    """Gives the rows of `build(keys)`, a query set in which nothing but the keys (ids or text) varies.

    `columns` are the lookups to read. Values come as the driver gives them: a time is in UTC, on SQLite without saying
    so.
    """
    return prepared_values(build, columns, lambda values: dict(zip(columns, values, strict=True)))


def prepared_shapes(build: Build, serializer: type[RowSerializer]) -> Callable[[Keys], list[Shape]]:
    """As `prepared`, but gives each row as the serializer writes it."""
    return prepared_values(build, serializer.columns, serializer.from_values)


def prepared_values(build: Build, columns: Sequence[str], write: Callable[[Values], T]) -> Callable[[Keys], list[T]]:
    """As `prepared`, but gives what `write` makes of each row's values, in the order of the columns."""

    @lru_cache(maxsize=256)
    def compiled(kinds: tuple[type, ...]) -> tuple[str, tuple[Any, ...], list[Any]]:
        marks = [kind(MARKS + place) for place, kind in enumerate(kinds)]
        return *build(marks).values_list(*columns).query.sql_with_params(), marks

    def rows(keys: Keys) -> list[T]:
        if not keys:
            return []
        sql, marked, marks = compiled(tuple(map(type, keys)))
        meant = dict(zip(marks, keys, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(sql, [meant.get(value, value) for value in marked])
            return list(map(write, cursor.fetchall()))

    return rows
