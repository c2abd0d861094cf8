"""The digits of a telephone number as people write it, in the database: "555-011-9999" is 5550119999."""

from functools import reduce
from typing import Any

from django.db.models import CharField, Func

MARKS = " -./()+"
"""What people set between digits."""


class Digits(Func):
    """The marks stand in the SQL itself, and are no parameters: an index on it is found by what is written there."""

    template = reduce(lambda inner, mark: f"REPLACE({inner}, '{mark}', '')", MARKS, "%(expressions)s")
    arity = 1

    def __init__(self, *expressions: Any, **extra: Any) -> None:
        super().__init__(*expressions, output_field=CharField(), **extra)


def digits_of(text: str) -> str:
    """The same in Python."""
    return text.translate({ord(mark): None for mark in MARKS})
