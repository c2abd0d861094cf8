"""What a step is: an old table, how its rows are cut into parts, and what becomes of a part."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from core.wire import is_visible
from voicechat.adoption.folk import Folk
from voicechat.adoption.source import Row, Source
from voicechat.adoption.tally import CHANGED, Tally
from voicechat.adoption.values import moment, text, truth

UNKNOWN_TIME = datetime(2019, 3, 20, tzinfo=UTC)
"""When the first back end's first table was made: of what nobody knows the time of is older than all else."""


class Insert(NamedTuple):
    table: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass
class World:
    """What a step must know of the others' rows."""

    folk: Folk
    groups: set[int]
    ownerless: set[int]
    now: datetime
    first_of_sid: dict[str, int] = field(default_factory=dict)


class Step:
    """One old table. Its parts are read in the order of `place`, and each is all that there is of what it is about."""

    table: str
    words: str
    """What its rows are, for people."""

    def parts(self, source: Source, after: int, at_once: int) -> Iterator[tuple[int, list[Row]]]:
        return source.by_id(self.table, after=after, at_once=at_once)

    def convert(self, rows: list[Row], world: World, tally: Tally) -> Iterable[Insert]:
        """The new rows of these old ones. `tally` is told of each that is not simply itself."""
        raise NotImplementedError


def time_of(row: Row, column: str, tally: Tally, what: str, which: object) -> datetime:
    found = moment(row.get(column))
    if found is None:
        tally.note(CHANGED, f"{what} without a time that can be read ({UNKNOWN_TIME:%Y-%m-%d} stands there)", which)
    return found or UNKNOWN_TIME


def flag_of(row: Row, column: str, tally: Tally, what: str, which: object) -> bool:
    value = row.get(column)
    found = truth(value)
    if found is None and value is not None:
        tally.note(CHANGED, f"{what} whose {column} is neither true nor false (false stands there)", which)
    return bool(found)


def words_of(row: Row, column: str, most: int, tally: Tally, what: str) -> str | None:
    """Null where it is null; a longer one is cut."""
    value = row.get(column)
    found = text(value)
    if found is not None and found != value:
        tally.note(CHANGED, f"{what} whose {column} is no text that a database keeps", row.get("id"))
    if found is not None and len(found) > most:
        tally.note(CHANGED, f"{what} whose {column} is longer than {most} letters (the rest is cut off)", row["id"])
        found = found[:most]
    return found


def shown_words(row: Row, column: str, most: int, tally: Tally, what: str, instead: str) -> str:
    """What must show something."""
    found = words_of(row, column, most, tally, what)
    if found and is_visible(found):
        return found
    tally.note(CHANGED, f"{what} with an empty {column} (“{instead}” stands there)", row["id"])
    return instead
