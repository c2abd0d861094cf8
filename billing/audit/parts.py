"""A table of millions read in parts, so that each statement is short, holds nothing up, and can be told of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

AT_ONCE = 100_000
"""So many rows are in a part, and those more that have the same value as its last."""


@dataclass(frozen=True, slots=True)
class Part:
    """The rows whose `column` is above `after` and not above `upto`: without bounds at the two ends of the table."""

    column: str
    after: Any
    upto: Any

    def of(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.after is not None:
            rows = rows.filter(**{f"{self.column}__gt": self.after})
        return rows if self.upto is None else rows.filter(**{f"{self.column}__lte": self.upto})


def parts(rows: QuerySet[Any], column: str) -> Iterator[Part]:
    """All values of the column, cut where so many of these rows lie between. What comes meanwhile is in the last."""
    ordered, after = rows.order_by(column).values_list(column, flat=True), None
    while last := list(Part(column, after, None).of(ordered)[AT_ONCE - 1 : AT_ONCE]):
        yield Part(column, after, last[0])
        after = last[0]
    yield Part(column, after, None)
