"""Queries whose SQL is made once.

Building a query set and compiling it costs several times what the database needs to answer it: too much for reads that
every open page repeats each second. `make bench` shows what it gains.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import QuerySet

Rows = list[dict[str, Any]]

MARKS = 2**62
"""From here on, numbers stand for the keys while the SQL is made, as text for text. No table gets that far."""


def prepared(
    build: Callable[[Sequence[Any]], QuerySet[Any, Any]], columns: Sequence[str] | Mapping[str, str]
) -> Callable[[Collection[int | str]], Rows]:
    """Gives the rows of `build(keys)`, a query set in which nothing but the keys (ids or text) varies.

    `columns` are the lookups to read, or names for them: {"user_id": "participants__user_id"}. Values come as the
    driver gives them: a time is in UTC, on SQLite without saying so.
    """
    names = tuple(columns)
    lookups = tuple(columns.values()) if isinstance(columns, Mapping) else names

    @lru_cache(maxsize=256)
    def compiled(kinds: tuple[type, ...]) -> tuple[str, tuple[Any, ...], list[Any]]:
        marks = [kind(MARKS + place) for place, kind in enumerate(kinds)]
        return *build(marks).values_list(*lookups).query.sql_with_params(), marks

    def rows(keys: Collection[int | str]) -> Rows:
        if not keys:
            return []
        sql, marked, marks = compiled(tuple(map(type, keys)))
        meant = dict(zip(marks, keys, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(sql, [meant.get(value, value) for value in marked])
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    return rows
