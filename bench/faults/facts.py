"""What polls may show: rows that are written again and again, each time with the next number."""

import json
import random
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

import psycopg2

from bench.polls import GROUPS, PEOPLE, STAFF

OFTEN = 0.1
"""Seconds between two writes."""
DISABLED = 4
"""Of the people: who is disabled by every other write, and polls themselves."""
Read = Callable[[int, Any], int | None]
"""The number that an answer shows, by its status and its body; None where it shows none."""


@dataclass
class Fact:
    """Of a write that failed nobody knows whether it is there: it may be, until a later one is confirmed or seen."""

    statement: str
    path: str
    read: Read
    caller: int = STAFF
    each: int = 1
    """An answer shows the number modulo this; 1 where it shows all of it."""
    written: int = 0
    confirmed: int = 0
    lock: Lock = field(default_factory=Lock)

    def write(self, cursor: Any) -> None:
        """Raises psycopg2.Error."""
        self.written += 1
        cursor.execute(self.statement, [self.written])
        self.is_at_least(self.written)

    def is_at_least(self, number: int) -> None:
        with self.lock:
            self.confirmed = max(self.confirmed, number)

    def could_show(self, number: int, since: int) -> bool:
        """Whether this was so at some time since the number `since` was confirmed."""
        if self.each == 1:
            return since <= number <= self.written
        return any(each % self.each == number for each in range(since, self.written + 1))


def named(status: int, body: Any) -> int | None:
    return int(body["displayName"].split()[-1]) if status == 200 else None


def did(status: int, body: Any) -> int | None:
    said = [each["activity"].split()[-1] for each in body if each["activity"].startswith("counted to ")]
    return int(said[0]) if status == 200 and said else None


def member(person: int) -> Read:
    def read(status: int, body: Any) -> int | None:
        return next(named(status, each) for each in body if each["userId"] == person) if status == 200 else None

    return read


def may(status: int, body: Any) -> int | None:
    return {200: 0, 403: 1}.get(status)


def all_facts() -> list[Fact]:
    name = "UPDATE users SET \"displayName\" = 'Name ' || %s WHERE id = {}"
    act = (
        "UPDATE activities SET activity = 'counted to ' || %s WHERE id = "
        '(SELECT min(id) FROM activities WHERE "groupId" = {})'
    )
    disable = f"UPDATE users SET is_active = (%s %% 2 = 0) WHERE id = {DISABLED}"
    return [
        *(Fact(name.format(person), f"/api/users/{person}", named) for person in PEOPLE[2:3]),
        *(Fact(act.format(group), f"/api/groups/{group}/activities", did) for group in GROUPS),
        Fact(name.format(PEOPLE[1]), f"/api/groups/{GROUPS[0]}/groupMembers", member(PEOPLE[1])),
        Fact(disable, f"/api/groups/{GROUPS[1]}/callStatus", may, caller=DISABLED, each=2),
    ]


class Writer:
    """Writes by a connection of its own, past the servers. Can be told to pause."""

    def __init__(self, url: str, facts: list[Fact]) -> None:
        self.url, self.facts = url, facts
        self.pause = Lock()
        self.writes = 0

    def begin(self) -> None:
        """Each fact stands in its row from the beginning."""
        with closing(psycopg2.connect(self.url)) as connection, connection:
            for fact in self.facts:
                fact.write(connection.cursor())

    def run(self, stop: Event) -> None:
        chance, connection = random.Random(1), None
        while not stop.wait(OFTEN):
            with self.pause:
                try:
                    if connection is None:
                        connection = psycopg2.connect(self.url, options="-c lock_timeout=1s")
                        connection.autocommit = True
                    chance.choice(self.facts).write(connection.cursor())
                    self.writes += 1
                except psycopg2.Error as error:
                    if error.pgcode is None:  # the connection is gone
                        with suppress(psycopg2.Error):
                            connection and connection.close()
                        connection = None


def shown(fact: Fact, status: int, body: bytes) -> int | None:
    """What an answer shows of it. Raises ValueError and LookupError where it is no such answer."""
    return fact.read(status, json.loads(body))
