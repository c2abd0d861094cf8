"""Making room for the new tables, and what must stand when they are full."""

from collections.abc import Iterator, Mapping

from django.core.management import CommandError
from django.core.management.color import no_style
from django.db import OperationalError, connection, transaction
from django.db.models import Model

from billing.models import Account
from core import triggers
from groups.models import Activity, Group
from groups.triggers import EVERY
from users.models import User
from voice.models import Call
from voicechat.adoption import progress
from voicechat.adoption.source import KNEX, PREFIX, TABLES, Source

WITH_IDS: tuple[type[Model], ...] = (User, Group, Activity, Call, Account)
"""Those whose ids are the old ones."""
LOCK_NOT_AVAILABLE = "55P03"
LONGEST_NAME = 63
IN_USE = (
    "Somebody is using the old tables, and nothing was changed. Stop the first back end (and whoever else reads them), "
    "and run this again."
)
BESIDE = """
SELECT relname, CASE relkind WHEN 'i' THEN 'INDEX' ELSE 'SEQUENCE' END FROM pg_class
WHERE oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = %s::regclass) OR relkind = 'S' AND oid IN
  (SELECT objid FROM pg_depend WHERE refobjid = %s::regclass AND deptype IN ('a', 'i'))
"""
"""A table's indexes and sequences, whose names the new tables want too."""
COUNT_ACTIVITIES = """
UPDATE groups SET "lastActivity" = counted.many
FROM (SELECT "groupId", max(number) AS many FROM activities GROUP BY "groupId") AS counted
WHERE groups.id = counted."groupId"
"""


def make_room(source: Source) -> None:
    """Gives the old tables other names, and writes down that it was begun: all of it, or nothing."""
    names = [name for name in (*TABLES, *KNEX) if name in source.tables()]
    told = {"prefix": PREFIX, "highest": highest_ids(source)}
    on_sqlite = connection.vendor == "sqlite"
    try:
        with connection.constraint_checks_disabled(), transaction.atomic(), connection.cursor() as cursor:
            for statement in copies(names) if on_sqlite else renames(names):
                cursor.execute(statement)
            begin(told)
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) == LOCK_NOT_AVAILABLE:
            raise CommandError(IN_USE) from None
        raise


def begin(told: Mapping[str, object]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(progress.CREATE)
    progress.write_down(progress.BEGUN, done=True, told=told)


def renames(names: list[str]) -> Iterator[str]:
    """On PostgreSQL: nothing is copied, and whoever holds one of the tables is not waited for."""
    yield "SET LOCAL lock_timeout = '10s'"
    for name in names:
        with connection.cursor() as cursor:
            cursor.execute(BESIDE, [f'"{name}"', f'"{name}"'])
            beside = cursor.fetchall()
        for each, kind in beside:
            yield f'ALTER {kind} "{each}" RENAME TO "{f"{PREFIX}{each}"[:LONGEST_NAME]}"'
        yield f'ALTER TABLE "{name}" RENAME TO "{PREFIX}{name}"'


def copies(names: list[str]) -> Iterator[str]:
    """On SQLite, whose migrations check all references of all tables: copies have none, and old ones lead nowhere."""
    for name in names:
        yield f'CREATE TABLE "{PREFIX}{name}" AS SELECT * FROM "{name}" ORDER BY rowid'
        yield f'DROP TABLE "{name}"'
    for name in ("users", "groups", "activities", "callSessions"):
        if name in names:
            yield f'CREATE UNIQUE INDEX "{PREFIX}{name}_id" ON "{PREFIX}{name}" (id)'


def highest_ids(source: Source) -> dict[str, int]:
    """No id is given to a second person: calls of those who are gone name them by it."""
    there = [name for name in ("users", "groups", "activities", "callSessions") if name in source.columns]
    highest: dict[str, int] = {name: source.highest(name) for name in there}
    for table, column in (("users", "userId"), ("groups", "groupId")):
        if "callSessions" in source.columns:
            told = source.ask(
                f'SELECT max("{column}") FROM {source.named("callSessions")} WHERE {source.whole(column)}'
            )
            highest[table] = max(highest[table], told[0][0] or 0)
    return highest


def stop_counting() -> None:
    """The triggers that raise versions and number activities: it is done for all rows at once, at the end."""
    triggers.lift(EVERY)


def finish(highest: dict[str, int]) -> None:
    """Numbers, triggers, and the ids that come next. Twice is as once."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(COUNT_ACTIVITIES)
        triggers.install(EVERY)
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(WITH_IDS)):
            cursor.execute(statement)
        for table, number in highest.items():
            go_on_above(table, number)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def go_on_above(table: str, number: int) -> None:
    if not number:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            highest = f'(SELECT max(id) FROM "{table}")'
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence(%s, 'id'), greatest(%s, {highest}))", [f'"{table}"', number]
            )
            return
        cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s AND seq < %s", [table, number])
        cursor.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT %s, %s WHERE NOT EXISTS "
            "(SELECT 1 FROM sqlite_sequence WHERE name = %s)",
            [table, number, table],
        )


def drop_old() -> list[str]:
    """Drops the old tables that were set aside: the names of those that were there."""
    there = set(connection.introspection.table_names())
    names = [f"{PREFIX}{name}" for name in (*reversed(TABLES), *KNEX) if f"{PREFIX}{name}" in there]
    with transaction.atomic(), connection.cursor() as cursor:
        for name in names:
            cursor.execute(f'DROP TABLE "{name}"')
    return names
