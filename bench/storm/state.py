"""What the tables say in the end, and what they should."""

from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass, fields

import psycopg2  # type: ignore[import-untyped]  # it carries no types

from bench.storm.story import COMPLETED, Callback, Fact, Leg, Story

Rows = frozenset[tuple[object, ...]]
QUERIES = {
    "participants": 'SELECT "groupId", "userId" FROM "usersGroupsParticipants"',
    "groups": 'SELECT id FROM groups WHERE "callStatus"',
    "people": 'SELECT id FROM users WHERE "callStatus"',
    "calls": 'SELECT sid, "userId", payer_id IS NOT NULL, is_on, "endTime" IS NOT NULL, duration FROM "callSessions"',
    "conferences": "SELECT sid, ended_at IS NOT NULL FROM conferences",
    "events": 'SELECT conference_id, sequence_number FROM "conferenceEvents"',
}


@dataclass(frozen=True)
class State:
    """Each a set of rows: who is on which list, which groups and people are on a call, how each call stands."""

    participants: Rows
    groups: Rows
    people: Rows
    calls: Rows
    conferences: Rows
    events: Rows

    def differences(self, expected: "State") -> list[str]:
        """One line for each row that is missing, or there and should not be."""
        lines = []
        for table in fields(self):
            found, wanted = getattr(self, table.name), getattr(expected, table.name)
            lines += [f"{table.name}: missing {row}" for row in sorted(wanted - found, key=repr)]
            lines += [f"{table.name}: unexpected {row}" for row in sorted(found - wanted, key=repr)]
        return lines


def stored(url: str) -> State:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        tables = {}
        for name, query in QUERIES.items():
            cursor.execute(query)
            rows = cursor.fetchall()
            tables[name] = frozenset(rows)
            if len(rows) != len(tables[name]):
                raise AssertionError(f"{name} has rows twice")
    return State(**tables)


def expected(story: Story, known: AbstractSet[Fact], delivered: AbstractSet[Fact]) -> State:
    """The state after what is `known` was told once and in order.

    The stored events are those `delivered`: once Twilio has been asked, more is known than it told.
    """
    tables: dict[str, set[tuple[object, ...]]] = {name: set() for name in QUERIES}
    for conference in story.conferences:
        heard = [callback for callback in conference.callbacks if callback in known]
        done = {callback.leg for callback in heard if callback.kind == COMPLETED}
        on, ended = outcome(heard)
        on -= done
        met = {callback.leg for callback in heard}
        for leg in (leg for leg in conference.legs if leg in known or leg in met):
            person, duration = leg.person if leg in known else None, leg.duration if leg in done else None
            tables["calls"].add((leg.sid, person, leg in known, leg in on, leg in done, duration))
        named = {leg.person for leg in on if leg.person and leg in known}
        tables["people"] |= {(person,) for person in named}
        tables["participants"] |= {(conference.group, person) for person in named}
        if on:
            tables["groups"].add((conference.group,))
        if any(callback.number for callback in heard):
            tables["conferences"].add((conference.sid, ended))
    callbacks = [fact for fact in delivered if isinstance(fact, Callback)]
    tables["events"] = {(callback.conference, callback.number) for callback in callbacks if callback.number}
    return State(**{name: frozenset(rows) for name, rows in tables.items()})


def outcome(heard: list[Callback]) -> tuple[set[Leg], bool]:
    """Who has joined and not left, and whether the conference has ended: then nobody is on."""
    on: set[Leg] = set()
    for callback in heard:
        if callback.leg and callback.kind == "participant-join":
            on.add(callback.leg)
        elif callback.leg and callback.kind == "participant-leave":
            on.discard(callback.leg)
    ended = any(callback.kind == "conference-end" for callback in heard)
    return (set() if ended else on), ended
