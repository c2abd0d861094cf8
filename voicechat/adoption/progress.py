"""How far a take-over has come: in the new database itself, written down with what it is about."""

import json
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "adoptionSteps"
ALL = "all"
"""The step that is done when all others are."""
BEGUN = "begun"
"""The one that is there from the first moment."""
FIRST_PLACE = -(2**62)
CREATE = f'CREATE TABLE IF NOT EXISTS "{TABLE}" (step varchar(40) PRIMARY KEY, place bigint, done boolean, told text)'
UPSERT = (
    f'INSERT INTO "{TABLE}" (step, place, done, told) VALUES (%s, %s, %s, %s) '
    "ON CONFLICT (step) DO UPDATE SET place = excluded.place, done = excluded.done, told = excluded.told"
)
TOLD_EACH = 2.0
"""Seconds."""
UNFINISHED = (
    "A take-over of the first back end's data into this database was begun and is not finished: run "
    "`python manage.py adopt_database` again, which goes on where it stopped."
)


class Reached(NamedTuple):
    place: int = FIRST_PLACE
    done: bool = False
    told: dict[str, Any] = {}  # nobody changes it


def reached(step: str) -> Reached | None:
    """None where it was not begun."""
    return read(step, connection) if TABLE in connection.introspection.table_names() else None


def read(step: str, of: Any) -> Reached | None:
    with of.cursor() as cursor:
        cursor.execute(f'SELECT place, done, told FROM "{TABLE}" WHERE step = %s', [step])
        found = cursor.fetchone()
    return Reached(found[0], bool(found[1]), json.loads(found[2])) if found else None


def write_down(step: str, *, place: int = FIRST_PLACE, done: bool, told: Mapping[str, Any] | None = None) -> None:
    """In the transaction that is open, with what it tells of."""
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, [step, place, done, json.dumps(told or {})])


def is_unfinished(of: BaseDatabaseWrapper, tables: Collection[str]) -> bool:
    """Begun, and not done: by the names of the tables that there are."""
    if TABLE not in tables or read(BEGUN, of) is None:
        return False
    return read(ALL, of) is None


class Teller:
    """Says now and then how far it is, and when it will be done, by how fast it has been so far.

    `rows` has how many there are of each table. A person is as much work as several other rows.
    """

    def __init__(self, say: Callable[[str], object], rows: Mapping[str, int]) -> None:
        self.say, self.rows = say, sum(rows.values())
        self.work = sum(weight(table) * count for table, count in rows.items())
        self.done = self.worked = self.spared = 0
        self.begun = self.told_at = time.monotonic()

    def skip(self, table: str, rows: int) -> None:
        """Those that an earlier run has copied."""
        self.done += rows
        self.spared += weight(table) * rows

    def add(self, table: str, words: str, rows: int) -> None:
        self.done += rows
        self.worked += weight(table) * rows
        if time.monotonic() - self.told_at >= TOLD_EACH:
            self.told_at = time.monotonic()
            self.say(f"{words}: {self.done:,} of {self.rows:,} rows, {left(self.seconds_left())} left")

    def seconds_left(self) -> float:
        rest = max(self.work - self.spared - self.worked, 0)
        return rest * (time.monotonic() - self.begun) / max(self.worked, 1)


def weight(table: str) -> int:
    return 6 if table == "users" else 1


def left(seconds: float) -> str:
    return f"about {seconds:.0f} s" if seconds < 120 else f"about {seconds / 60:.0f} min"
