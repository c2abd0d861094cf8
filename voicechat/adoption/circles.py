"""Groups, the four lists around each, and what was done in them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from voicechat.adoption.source import Row, Source
from voicechat.adoption.steps import Insert, Step, World, flag_of, shown_words, time_of, words_of
from voicechat.adoption.tally import CHANGED, DROPPED, MERGED, TOLD, Tally

NAME, PHONE, ACTIVITY = 128, 12, 128
GROUPS = ("id", "name", "phoneNumber", "callStatus", "createdAt")
AROUND = ("groupId", "userId", "createdAt")
ACTIVITIES = ("id", "groupId", "userId", "activity", "createdAt", "number")


class Groups(Step):
    table = words = "groups"

    def convert(self, rows: list[Row], world: World, tally: Tally) -> Iterable[Insert]:
        tally.read += len(rows)
        tally.kept += len(rows)
        for row in rows:
            if row["id"] in world.ownerless:
                tally.note(TOLD, "groups that nobody owns (an operator gives them an owner, who pays)", row["id"])
        yield Insert("groups", GROUPS, [group(row, tally) for row in rows])


def group(row: Row, tally: Tally) -> tuple[Any, ...]:
    return (
        row["id"],
        shown_words(row, "name", NAME, tally, "groups", "A group"),
        group_phone(row, tally),
        flag_of(row, "callStatus", tally, "groups", row["id"]),
        time_of(row, "createdAt", tally, "groups", row["id"]),
    )


def group_phone(row: Row, tally: Tally) -> str | None:
    value = row.get("phoneNumber")
    found = words_of({**row, "phoneNumber": None if value is None else str(value)}, "phoneNumber", 999, tally, "groups")
    if found is None or len(found) <= PHONE:
        return found
    bare = "".join(letter for letter in found if letter.isascii() and letter.isdigit())
    tally.note(CHANGED, "groups with a phone number of more than 12 letters (its digits alone, or none)", row["id"])
    return bare if bare and len(bare) <= PHONE else None


class Part(Step):
    """One of the four lists. Its parts are whole groups, so that all rows of one person in one group are in one."""

    def __init__(self, table: str, words: str) -> None:
        self.table, self.words = table, words

    def parts(self, source: Source, after: int, at_once: int) -> Iterator[tuple[int, list[Row]]]:
        return source.by_group(self.table, after=after, at_once=at_once)

    def convert(self, rows: list[Row], world: World, tally: Tally) -> Iterable[Insert]:
        """In the order of their times, which gives them their ids: of several rows the oldest stays."""
        known = [found for row in rows if (found := self.known(row, world, tally))]
        kept: dict[tuple[int, int], tuple[int, int, datetime]] = {}
        for each in sorted(known, key=lambda row: (row[0], row[2])):
            if kept.setdefault(each[:2], each) is not each:
                words = f"{self.words}: rows of one person in one group beside their first"
                tally.note(MERGED, words, f"person {each[1]} in group {each[0]}")
        tally.read += len(rows)
        tally.kept += len(kept)
        yield Insert(self.table, AROUND, list(kept.values()))

    def known(self, row: Row, world: World, tally: Tally) -> tuple[int, int, datetime] | None:
        person, group_id = world.folk.of(row.get("userId")), row["groupId"]
        which = f"person {row.get('userId')} in group {group_id}"
        if person is None or group_id not in world.groups:
            tally.note(DROPPED, f"{self.words}: rows of {whose(person)}", which)
            return None
        return group_id, person, time_of(row, "createdAt", tally, self.words, which)


def whose(person: int | None) -> str:
    return "a person who is gone" if person is None else "a group that is gone"


class Activities(Step):
    """Each has its number in its group, in the order of the ids: the triggers that count are off meanwhile."""

    table = words = "activities"

    def __init__(self) -> None:
        self.numbers: Counter[int] = Counter()
        """Of each group's newest activity; whoever goes on after a kill fills it from what is copied."""

    def convert(self, rows: list[Row], world: World, tally: Tally) -> Iterable[Insert]:
        tally.read += len(rows)
        made = [found for row in rows if (found := self.activity(row, world, tally))]
        tally.kept += len(made)
        yield Insert("activities", ACTIVITIES, made)

    def activity(self, row: Row, world: World, tally: Tally) -> tuple[Any, ...] | None:
        person, group_id = world.folk.of(row.get("userId")), row.get("groupId")
        if person is None or group_id not in world.groups:
            tally.note(DROPPED, f"activities of {whose(person)}", row["id"])
            return None
        self.numbers[group_id] += 1
        return (
            row["id"],
            group_id,
            person,
            shown_words(row, "activity", ACTIVITY, tally, "activities", "(nothing was written)"),
            time_of(row, "createdAt", tally, "activities", row["id"]),
            self.numbers[group_id],
        )
