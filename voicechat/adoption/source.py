"""Reading what the first back end left: by its own names, in parts, and without a word of Django's in between.

SQLite is read by Python's own module, for Django would convert what is declared as a time, and fail at one that is
none; and it would turn the file into one with a write-ahead log, when it is only to be looked at.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

Row = dict[str, Any]

LISTS = ("usersGroupsOwnership", "usersGroupsMembership", "usersGroupsInvitations", "usersGroupsParticipants")
NEEDED = ("users", "groups")
TABLES = ("users", "groups", *LISTS, "activities", "callSessions")
"""Those that are taken over, in an order in which nothing comes before what it refers to."""
KNEX = ("knex_migrations", "knex_migrations_lock")
"""Where the first back end's migrations are written down."""
PREFIX = "first_"
"""Of the old tables' names, once their own are given to the new ones."""

POSTGRESQL_COLUMNS = """
SELECT column_name, data_type FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name = %s ORDER BY ordinal_position
"""
POSTGRESQL_TABLES = """
SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'
"""
FINITE = """CASE WHEN "{0}" BETWEEN '1970-01-02' AND '2100-01-01' THEN "{0}" END AS "{0}" """
"""PostgreSQL knows infinity and years after 9999, which Python does not."""


class Source:
    """The old tables, on a connection of its own, by which nothing is ever changed."""

    def __init__(self, wrapper: BaseDatabaseWrapper, prefix: str = "") -> None:
        self.vendor, self.prefix = wrapper.vendor, prefix
        self.connection = opened(wrapper)
        there = self.tables()
        self.columns = {name: self.columns_of(name) for name in TABLES if prefix + name in there}

    def ask(self, question: str, *values: Any) -> list[Any]:
        cursor = self.connection.cursor()
        try:
            cursor.execute(question if self.vendor == "postgresql" else question.replace("%s", "?"), values)
            found: list[Any] = cursor.fetchall()
            return found
        finally:
            cursor.close()

    def tables(self) -> set[str]:
        names = "SELECT name FROM sqlite_master WHERE type = 'table'"
        return {name for (name,) in self.ask(names if self.vendor == "sqlite" else POSTGRESQL_TABLES)}

    def columns_of(self, table: str) -> dict[str, str]:
        """Name and type of each."""
        name = self.prefix + table
        if self.vendor == "postgresql":
            return dict(self.ask(POSTGRESQL_COLUMNS, name))
        return {row[1]: row[2] for row in self.ask(f'PRAGMA table_info("{name}")')}

    def named(self, table: str) -> str:
        return f'"{self.prefix}{table}"'

    def count(self, table: str) -> int:
        return int(self.ask(f"SELECT count(*) FROM {self.named(table)}")[0][0]) if table in self.columns else 0

    def whole(self, column: str) -> str:
        """Where it is a number: on SQLite any column may hold anything."""
        return f"typeof(\"{column}\") = 'integer'" if self.vendor == "sqlite" else f'"{column}" IS NOT NULL'

    def read(self, table: str, rest: str, *values: Any) -> list[Row]:
        columns = self.columns[table]
        shown = (FINITE.format(name) if kind.startswith("timestamp") else f'"{name}"' for name, kind in columns.items())
        found = self.ask(f"SELECT {', '.join(shown)} FROM {self.named(table)} {rest}", *values)
        return [dict(zip(columns, row, strict=True)) for row in found]

    def by_id(self, table: str, *, after: int = 0, at_once: int = 10_000) -> Iterator[tuple[int, list[Row]]]:
        """Parts, each with the id that it ends at."""
        rest = "WHERE id > %s ORDER BY id LIMIT %s"
        while table in self.columns and (rows := self.read(table, rest, after, at_once)):
            after = rows[-1]["id"]
            yield after, rows

    def by_group(self, table: str, *, after: int = 0, at_once: int = 10_000) -> Iterator[tuple[int, list[Row]]]:
        """Parts of whole groups, each with the group that it ends at."""
        if table not in self.columns:
            return
        for first, last in self.ranges(table, after, at_once):
            rest = f'WHERE {self.whole("groupId")} AND "groupId" > %s AND "groupId" <= %s ORDER BY "groupId"'
            yield last, self.read(table, rest, first, last)

    def ranges(self, table: str, after: int, at_once: int) -> Iterator[tuple[int, int]]:
        counted = self.ask(
            f'SELECT "groupId", count(*) FROM {self.named(table)} WHERE {self.whole("groupId")} AND "groupId" > %s '
            'GROUP BY "groupId" ORDER BY "groupId"',
            after,
        )
        first, rows = after, 0
        for group, count in counted:
            rows += count
            if rows >= at_once:
                yield first, group
                first, rows = group, 0
        if rows:
            yield first, counted[-1][0]

    def ids(self, table: str) -> set[int]:
        return {row[0] for row in self.ask(f"SELECT id FROM {self.named(table)} WHERE {self.whole('id')}")}

    def ownerless(self) -> set[int]:
        """Groups without an owner who is there."""
        if LISTS[0] not in self.columns:
            return self.ids("groups")
        owned = (
            f"SELECT 1 FROM {self.named(LISTS[0])} AS owners JOIN {self.named('users')} AS people "
            'ON people.id = owners."userId" WHERE owners."groupId" = all_groups.id'
        )
        return {
            row[0]
            for row in self.ask(f"SELECT id FROM {self.named('groups')} AS all_groups WHERE NOT EXISTS ({owned})")
        }

    def highest(self, table: str) -> int:
        """The highest id that there ever was, also of somebody who is gone, as far as the database remembers it."""
        found = self.ask(f"SELECT max(id) FROM {self.named(table)}")[0][0] or 0
        if self.vendor == "sqlite":
            has_memory = "sqlite_sequence" in self.tables()
            told = has_memory and self.ask("SELECT seq FROM sqlite_sequence WHERE name = %s", self.prefix + table)
        else:
            name = self.ask("SELECT pg_get_serial_sequence(%s, 'id')", self.named(table))[0][0]
            told = name and self.ask(f"SELECT last_value FROM {name}")
        return max(found, told[0][0] if told else 0)

    def close(self) -> None:
        self.connection.close()


def opened(wrapper: BaseDatabaseWrapper) -> Any:
    if wrapper.vendor == "sqlite":
        file = sqlite3.connect(wrapper.settings_dict["NAME"], isolation_level=None, timeout=30)
        file.text_factory = lambda found: found.decode(errors="replace")
        file.execute("PRAGMA query_only = on")
        return file
    own = wrapper.copy()
    own.ensure_connection()
    own.set_autocommit(True)  # nothing is set on it: behind a pooler it is somebody else's in a moment
    return own


def is_first_back_end(tables: set[str], columns_of_users: Sequence[str]) -> bool:
    """Made by the first back end's migrations, with its own table of people: ours has a column for the e-mail's key."""
    return KNEX[0] in tables and tables.issuperset(NEEDED) and "emailKey" not in columns_of_users
