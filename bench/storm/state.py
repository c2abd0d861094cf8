"""What the tables say in the end, and what they should."""

from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass, fields

import psycopg2  # type: ignore[import-untyped]  # it carries no types

from bench.storm.story import COMPLETED, Callback, Story

Rows = frozenset[tuple[object, ...]]
QUERIES = {
    "participants": 'SELECT "groupId", "userId" FROM "usersGroupsParticipants"',
    "groups": 'SELECT id FROM groups WHERE "callStatus"',
    "people": 'SELECT id FROM users WHERE "callStatus"',
    "calls": 'SELECT sid, is_on, "endTime" IS NOT NULL, duration FROM "callSessions"',
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


def expected(story: Story, known: AbstractSet[Callback], delivered: AbstractSet[Callback] | None = None) -> State:
    """The state after the `known` callbacks, each told once and in order.

    Of a truth that Twilio was asked about more is known than the events that were delivered and are stored.
    """
    participants: set[tuple[object, ...]] = set()
    groups: set[tuple[object, ...]] = set()
    people: set[tuple[object, ...]] = set()
    calls: set[tuple[object, ...]] = set()
    conferences: set[tuple[object, ...]] = set()
    for conference in story.conferences:
        heard = [callback for callback in conference.callbacks if callback in known]
        done = {callback.leg for callback in heard if callback.kind == COMPLETED}
        on, ended = set(), False
        for callback in heard:
            if callback.kind == "participant-join":
                on.add(callback.leg)
            elif callback.kind == "participant-leave":
                on.discard(callback.leg)
            elif callback.kind == "conference-end":
                ended = True
        on = set() if ended else on - done
        if on:
            groups.add((conference.group,))
        for leg in conference.legs:
            calls.add((leg.sid, leg in on, leg in done, leg.duration if leg in done else None))
            if leg in on and leg.person:
                people.add((leg.person,))
                participants.add((conference.group, leg.person))
        if any(callback.number for callback in heard):
            conferences.add((conference.sid, ended))
    numbered = [callback for callback in (known if delivered is None else delivered) if callback.number]
    events: Rows = frozenset((callback.conference, callback.number) for callback in numbered)
    tables = (participants, groups, people, calls, conferences)
    return State(*(frozenset(table) for table in tables), events)
