"""One look at the database for all who follow anything: what has changed since the last look, and what is so now.

A look sees one state of the database. It asks for the versions of all that is followed, in one statement, and reads
what has another version than before: for everybody at once, by the shapes of the GETs. While nobody commits anything
it is one question that costs nothing, whoever follows what.
"""

import json
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from core import triggers
from core.prepared import execute
from core.transactions import reading_one_state
from groups.live import states
from groups.live.places import Mark
from groups.live.states import MOST_MISSED, GroupState, PersonState
from groups.models import PARTS
from groups.triggers import LISTS_OF_EVERY_GROUP, check_counted

Key = tuple[str, int]
Versions = dict[Key, tuple[Any, ...]]

# Of a person's lists the groups are summed up too: a row that is moved to another group keeps its id.
LISTS = " ".join(
    f"UNION ALL SELECT '{part._meta.model_name}', \"userId\", count(*), CAST(sum(id) AS bigint), "
    f'CAST(sum("groupId") AS bigint) FROM "{part._meta.db_table}" WHERE "userId" {{persons}} GROUP BY "userId"'
    for part in PARTS
)
SQL = f"""
SELECT 'group', id, version, 0, 0 FROM groups WHERE id {{groups}}
UNION ALL SELECT 'captions', "groupId", "lastCaption", "lastPartial", 0 FROM "captionCounts" WHERE "groupId" {{groups}}
UNION ALL SELECT 'person', id, version, 0, 0 FROM users WHERE id {{people}} {LISTS}
UNION ALL SELECT 'every', id, version, 0, 0 FROM "everyGroup" WHERE id = {LISTS_OF_EVERY_GROUP}
"""
OF_GROUPS = ("group", "captions", "every")
ANY = {"postgresql": "= ANY (%s::bigint[])", "sqlite": "IN (SELECT value FROM json_each(%s))"}
QUESTION = {vendor: SQL.format(groups=any_of, people=any_of, persons=any_of) for vendor, any_of in ANY.items()}
COMMITTED = {
    "postgresql": "SELECT pg_current_snapshot()::text",
    "sqlite": "SELECT data_version, schema_version FROM pragma_data_version, pragma_schema_version",
}
"""What stays the same while nobody commits anything (of other connections, on SQLite).
https://www.postgresql.org/docs/current/functions-info.html https://www.sqlite.org/pragma.html#pragma_data_version"""


@dataclass
class Changes:
    """What a look has found."""

    groups: dict[int, GroupState | None] = field(default_factory=dict)
    """Those that were read; None for one that is not there."""
    people: dict[int, PersonState | None] = field(default_factory=dict)
    before: dict[int, GroupState] = field(default_factory=dict)
    people_before: dict[int, PersonState] = field(default_factory=dict)
    activities: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict)
    """By group, those that are newer than anybody has who follows it."""
    captions: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict)
    """As activities."""

    def too_many(self, group: int) -> bool:
        return any(len(each.get(group, ())) > MOST_MISSED for each in (self.activities, self.captions))


class Watch:
    """What is so, of all that is followed. A look and whoever reads it take turns."""

    def __init__(self) -> None:
        self.groups: dict[int, GroupState] = {}
        self.people: dict[int, PersonState] = {}
        self.versions: Versions = {}
        self.committed: tuple[Any, ...] = ()
        self.connection: Any = None
        self.schema: tuple[Any, ...] = ()

    def look(
        self,
        people: AbstractSet[int],
        groups: AbstractSet[int],
        known: Mapping[int, Mark] | None = None,
        *,
        is_asked: bool = True,
    ) -> Changes | None:
        """What has changed around these people and in these groups, and in all groups of these people.

        `known` has of some groups a mark up to which activities and captions are known, where it is lower than at the
        last look.
        Unless somebody `is_asked` for, None where nobody has committed anything. Raises the database's errors, and
        NotCountedError; then nothing has been found, and the next look finds it.
        """
        connection.ensure_connection()
        seen = committed()
        is_new = self.meet_connection(seen)
        if not is_asked and not is_new and self.committed == seen:
            return None
        self.forget_others(people, groups)
        with reading_one_state():
            seen = committed()
            versions = self.ask(people)
            changes = Changes()
            self.read(changes, *self.changed(versions, people, groups))
            self.read_what_is_new(changes, known or {})
            now = self.with_changes(changes)
            if now[0].keys() - self.groups.keys():  # that nobody had asked about
                versions = ask(now[0], self.shown(now[0]), now[1])
        self.groups, self.people = now
        self.committed, self.versions = seen, versions
        return changes

    def meet_connection(self, seen: tuple[Any, ...]) -> bool:
        """Whether it is a new one: it may lead to another server, or to triggers that were away for a while."""
        if self.connection is connection.connection and self.schema == seen[1:]:
            return False
        check_counted(connection.vendor, execute(triggers.THERE[connection.vendor], []))
        self.connection, self.schema, self.versions = connection.connection, seen[1:], {}
        return True

    def forget_others(self, people: AbstractSet[int], groups: AbstractSet[int]) -> None:
        self.people = {pk: person for pk, person in self.people.items() if pk in people}
        kept = set(groups).union(*(person.groups for person in self.people.values()))
        if len(kept) < len(self.groups):
            self.groups = {pk: group for pk, group in self.groups.items() if pk in kept}

    def ask(self, people: Collection[int]) -> Versions:
        return ask(self.groups, self.shown(self.groups), people)

    def shown(self, groups: Mapping[int, GroupState]) -> set[int]:
        return set().union(*(group.shown for group in groups.values()))

    def changed(
        self, versions: Versions, people: AbstractSet[int], groups: AbstractSet[int]
    ) -> tuple[set[int], set[int]]:
        """The people and the groups that are to be read."""
        keys = {key for key, _ in versions.items() ^ self.versions.items()}
        touched = {pk for kind, pk in keys if kind == "person"}
        persons = {pk for kind, pk in keys if kind not in OF_GROUPS} & people | people - self.people.keys()
        found = {
            pk for kind, pk in keys if kind in ("group", "captions")
        } & self.groups.keys() | groups - self.groups.keys()
        if any(kind == "every" for kind, _ in keys):
            found |= self.groups.keys()
        return persons, found | {pk for pk, group in self.groups.items() if not touched.isdisjoint(group.shown)}

    def read(self, changes: Changes, people: set[int], groups: set[int]) -> None:
        """These, and what follows from them: the groups of people, and the people in whose lists a group is another."""
        while people or groups:
            found = states.of_people(people) if people else {}
            changes.people |= {pk: found.get(pk) for pk in people}
            changes.people_before |= {pk: self.people[pk] for pk in people if pk in self.people}
            of_people = set().union(*(person.groups for person in found.values()))
            groups = (groups | (of_people - self.groups.keys())) - changes.groups.keys()
            read = states.of_groups(groups) if groups else {}
            changes.groups |= {pk: read.get(pk) for pk in groups}
            changes.before |= {pk: self.groups[pk] for pk in groups if pk in self.groups}
            people, groups = self.whose_lists_changed(groups, changes) - changes.people.keys(), set()

    def whose_lists_changed(self, groups: set[int], changes: Changes) -> set[int]:
        """By a group's new name; or by a row that was moved out of it, which their own lists' sums may not tell."""
        found = set()
        for pk in groups:
            before, now = changes.before.get(pk), changes.groups[pk]
            if before is not None and now is not None:
                in_it = {person for person, state in self.people.items() if pk in state.groups}
                found |= in_it if before.name != now.name else in_it - now.around
        return found

    def read_what_is_new(self, changes: Changes, known: Mapping[int, Mark]) -> None:
        groups, _ = self.with_changes(changes)
        for pk in changes.groups.keys() | known.keys():
            now, before = groups.get(pk), self.groups.get(pk)
            if now is None:
                continue
            marks = [now.mark, known.get(pk, now.mark), before.mark if before else now.mark]
            activity, caption = min(mark.number for mark in marks), min(mark.caption for mark in marks)
            if activity < now.mark.number:
                changes.activities[pk] = states.activities(pk, activity)
            if caption < now.mark.caption:
                changes.captions[pk] = states.captions(pk, caption)

    def with_changes(self, changes: Changes) -> tuple[dict[int, GroupState], dict[int, PersonState]]:
        groups = {**self.groups, **changes.groups}
        people = {**self.people, **changes.people}
        return (
            {pk: group for pk, group in groups.items() if group is not None},
            {pk: person for pk, person in people.items() if person is not None},
        )


def ask(groups: Collection[int], shown: Collection[int], people: Collection[int]) -> Versions:
    """The versions of these groups, of these people's rows, and what tells of their lists."""
    followed, rows = as_list(people), as_list({*shown, *people})
    of_groups = [as_list(groups)] * 2
    found = execute(QUESTION[connection.vendor], [*of_groups, rows, *[followed] * len(PARTS)])
    return {(kind, pk): (*values,) for kind, pk, *values in found}


def as_list(ids: Collection[int]) -> str:
    text = json.dumps(list(ids))
    return text if connection.vendor == "sqlite" else "{" + text[1:-1] + "}"


def committed() -> tuple[Any, ...]:
    return execute(COMMITTED[connection.vendor], [])[0]
