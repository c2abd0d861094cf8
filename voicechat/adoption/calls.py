"""The calls of before. They stay for the history, and nobody is charged for them."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from voicechat.adoption.source import Row
from voicechat.adoption.steps import Insert, Step, World
from voicechat.adoption.tally import CHANGED, TOLD, Tally
from voicechat.adoption.values import dollars, micros, moment, text

CALLS = (
    "id",
    "sid",
    "userId",
    "groupId",
    "startTime",
    "endTime",
    "duration",
    "price",
    "createdAt",
    "heard_at",
    "status",
)
TWILIOS = re.compile("CA[0-9a-f]{32}")  # https://www.twilio.com/docs/glossary/what-is-a-sid
LONGEST = 2**31 - 1


class Calls(Step):
    table, words = "callSessions", "calls"

    def convert(self, rows: list[Row], world: World, tally: Tally) -> Iterable[Insert]:
        tally.read += len(rows)
        tally.kept += len(rows)
        yield Insert(self.table, CALLS, [call(row, world, tally) for row in rows])


def call(row: Row, world: World, tally: Tally) -> tuple[Any, ...]:
    created = moment(row.get("createdAt")) or moment(row.get("startTime")) or world.now
    started, ended, seconds = times(row, created, tally)
    return (
        row["id"],
        sid(row, world, tally),
        whose(row, world, tally),
        row.get("groupId") if isinstance(row.get("groupId"), int) else None,
        started,
        ended,
        seconds,
        price(row, tally),
        created,
        ended,
        "completed",
    )


def sid(row: Row, world: World, tally: Tally) -> str:
    """Twilio's, where it is one, and the first that has it; else one of our own, for each call needs its own."""
    found = text(row.get("sid")) or ""
    if TWILIOS.fullmatch(found) and world.first_of_sid.get(found, row["id"]) == row["id"]:
        return found
    tally.note(
        CHANGED, "calls without a sid of Twilio's of their own (“adopted:” and their id stands there)", row["id"]
    )
    return f"adopted:{row['id']}"


def whose(row: Row, world: World, tally: Tally) -> int | None:
    """Who is gone stays named by their id, as with every call."""
    old = row.get("userId")
    person = world.folk.of(old)
    if person is None:
        tally.note(TOLD, "calls of people who are gone, or of nobody", row["id"])
    return person if person is not None else old if isinstance(old, int) else None


def times(row: Row, created: datetime, tally: Tally) -> tuple[datetime | None, datetime, int | None]:
    """Start, end and seconds. It has an end in any case: nothing of before is still running.

    The first back end wrote the duration in minutes where it wrote times as text, and in seconds where as numbers.
    """
    started, ended = moment(row.get("startTime")), moment(row.get("endTime"))
    seconds = length(row)
    if ended is None:
        tally.note(
            CHANGED, "calls without an end that can be read (by their length, or as soon as they began)", row["id"]
        )
        ended = (started or created) + timedelta(seconds=seconds or 0)
    elif started and ended < started:
        tally.note(CHANGED, "calls that end before their start (the start stands there)", row["id"])
        ended = started
    elif started:
        seconds = int((ended - started).total_seconds())
    return started, ended, seconds


def length(row: Row) -> int | None:
    found = dollars(row.get("duration"))  # any number
    if found is None or found < 0:
        return None
    is_in_minutes = isinstance(row.get("startTime"), str)
    return min(int(found * 60 if is_in_minutes else found), LONGEST)


def price(row: Row, tally: Tally) -> int | None:
    """In micro-dollars, and never above zero, as Twilio counts."""
    value = row.get("price")
    amount = dollars(value)
    if amount is None:
        if value not in (None, ""):
            tally.note(CHANGED, "calls with a price that is no amount (left empty)", row["id"])
        return None
    if amount > 0:
        tally.note(
            CHANGED, "calls with a price above zero (turned round: a price is below, as Twilio counts)", row["id"]
        )
    return micros(-abs(amount))
