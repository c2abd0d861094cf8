"""Run by `bench.migration` inside the application: what adding versions takes, and how long others wait for it."""

import random
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Event, Thread

from django.db import connection

from core.triggers import install, lift
from groups.models import EveryGroup, Group
from groups.triggers import EVERY
from users.models import User

A_GROUP = 5
"""People."""
MOST_SECONDS = 1.0
CALM = 3.0
"""Seconds before the migration, and after it."""
FILL = (
    """INSERT INTO users (email, "emailKey", "displayName", password)
    SELECT 'person' || i || '@example.com', 'person' || i || '@example.com', 'Person ' || i, '!'
    FROM generate_series(1, {people}) AS i""",
    "INSERT INTO groups (name) SELECT 'Group ' || i FROM generate_series(1, {groups}) AS i",
    'INSERT INTO "usersGroupsOwnership" ("groupId", "userId") SELECT i, i FROM generate_series(1, {groups}) AS i',
    """INSERT INTO "usersGroupsMembership" ("groupId", "userId")
    SELECT 1 + i % {groups}, i FROM generate_series(1, {people}) AS i""",
    """INSERT INTO activities ("groupId", "userId", activity)
    SELECT 1 + i % {groups}, 1 + i % {people}, 'started a call' FROM generate_series(1, {activities}) AS i""",
    "VACUUM ANALYZE",
)
CLIENTS = {
    "who reads a group": 'SELECT name, "callStatus" FROM groups WHERE id = {group}',
    "who reads a person": 'SELECT "displayName" FROM users WHERE id = {person}',
    "who reads activities": 'SELECT activity FROM activities WHERE "groupId" = {group}',
    "who writes a group": "UPDATE groups SET name = 'Kin' WHERE id = {group}",
    "who writes a person": "UPDATE users SET \"displayName\" = 'Al' WHERE id = {person}",
    "who writes an activity": """INSERT INTO activities ("groupId", "userId", activity)
    VALUES ({group}, {person}, 'sang')""",
    "who writes a list": 'DELETE FROM "usersGroupsMembership" WHERE "groupId" = {group} AND "userId" = {person}',
}


class Client:
    """Somebody who does one thing all the time."""

    def __init__(self, statement: str, people: int) -> None:
        self.statement, self.people = statement, people
        self.longest, self.count = 0.0, 0

    def run(self, stop: Event) -> None:
        chance = random.Random(1)
        with closing(connection.copy()) as own, own.cursor() as cursor:
            while not stop.is_set():
                person = chance.randint(1, self.people)
                statement = self.statement.format(person=person, group=1 + person % (self.people // A_GROUP))
                begun = time.perf_counter()
                cursor.execute(statement)
                self.longest = max(self.longest, time.perf_counter() - begun)
                self.count += 1
                time.sleep(0.002)


def measure(people: int, activities: int) -> None:
    take_versions_away()
    begun = time.monotonic()
    with connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement.format(people=people, groups=people // A_GROUP, activities=activities))
    print(f"{people:,} people, {activities:,} activities: filled in {time.monotonic() - begun:.0f} s\n", flush=True)
    clients = {name: Client(statement, people) for name, statement in CLIENTS.items()}
    with at_work(clients):
        time.sleep(CALM)
        before = {name: client.longest for name, client in clients.items()}
        for client in clients.values():
            client.longest = 0.0
        for name, step in (("the columns and the table", add_versions), ("the triggers", lambda: install(EVERY))):
            begun = time.monotonic()
            step()
            print(f"{name:<28}{1000 * (time.monotonic() - begun):>8.0f} ms", flush=True)
        time.sleep(CALM)
    print(f"\nthe longest wait, in ms\n\n{'':<28}{'before':>8}{'while':>8}{'statements':>12}")
    for name, client in clients.items():
        is_long = "  TOO LONG" if client.longest > MOST_SECONDS else ""
        print(f"{name:<28}{1000 * before[name]:>8.0f}{1000 * client.longest:>8.0f}{client.count:>12,}{is_long}")


def take_versions_away() -> None:
    lift(EVERY)
    with connection.schema_editor() as editor:
        for model in (User, Group):
            editor.remove_field(model, model._meta.get_field("version"))
        editor.delete_model(EveryGroup)


def add_versions() -> None:
    """As one migration, and so in one transaction."""
    with connection.schema_editor() as editor:
        for model in (User, Group):
            editor.add_field(model, model._meta.get_field("version"))
        editor.create_model(EveryGroup)


@contextmanager
def at_work(clients: dict[str, Client]) -> Iterator[None]:
    stop = Event()
    threads = [Thread(target=client.run, args=(stop,)) for client in clients.values()]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
