"""The database itself raises a group's version: with each change of its row, of its four lists, and of its activities.

Nothing here raises a person's version: people are locked after groups. Only what answers show counts. So who sent an
invitation does not: it is emptied when they go, and who deletes them holds no lock of that group.
"""

from collections.abc import Iterator
from typing import Any

from django.db import connections
from django.db.models import F, Model, QuerySet

from core import triggers
from core.triggers import Trigger, own_version
from groups.models import PARTS, Activity, Group, Participant
from users import triggers as of_users

AROUND: tuple[type[Model], ...] = (*PARTS, Participant, Activity)
NOT_SHOWN = ("invited_by", "version")

# PostgreSQL counts a statement once, however many rows it writes, and locks groups in the order that everybody keeps.
RAISE = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
{unless_going} UPDATE groups SET version = version + 1 WHERE id = ANY (ARRAY(
  SELECT id FROM groups WHERE id = ANY (ARRAY(SELECT DISTINCT "groupId" FROM {rows})) ORDER BY id FOR NO KEY UPDATE
));
RETURN NULL; END $$;
"""
UNLESS_GOING = """
IF (SELECT version FROM groups WHERE id = (SELECT "groupId" FROM before LIMIT 1)) < 0 THEN RETURN NULL; END IF;
"""
MOVED = """(
  (SELECT {columns} FROM before EXCEPT SELECT {columns} FROM after)
  UNION (SELECT {columns} FROM after EXCEPT SELECT {columns} FROM before)
) AS moved"""
RAISE_ALL = """
CREATE OR REPLACE FUNCTION raise_all_groups() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
UPDATE groups SET version = version + 1; RETURN NULL; END $$;
"""
SQLITE = """
AFTER {verb} ON {table} {when} BEGIN UPDATE groups SET version = version + 1 WHERE id {ids} AND version > 0; END
"""
POSTGRESQL = "AFTER {verb} ON {table} {rows} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"


def stop_counting(groups: QuerySet[Group]) -> None:
    """For groups that are about to be deleted, all that one statement deletes from: with one may go 100,000 activities.

    By a version below 0, which nobody else sees: it goes with the row, or is undone with the deletion.
    """
    groups.update(version=-F("version"))


def shown(model: type[Model], row: str = "") -> str:
    columns = [field.column for field in model._meta.local_concrete_fields if field.name not in NOT_SHOWN]
    return ", ".join(f'{row}"{column}"' for column in columns)


def around(model: type[Model]) -> Iterator[Trigger]:
    """Those of a table whose rows hang on a group."""
    table, name = f'"{model._meta.db_table}"', model._meta.model_name
    for verb, row, rows, unless in (("INSERT", "NEW", "after", ""), ("DELETE", "OLD", "before", UNLESS_GOING)):
        function = f"raise_groups_by_{verb.lower()}"
        yield Trigger(
            f"{name}_{verb.lower()}",
            model._meta.db_table,
            SQLITE.format(verb=verb, table=table, when="", ids=f'= {row}."groupId"'),
            POSTGRESQL.format(verb=verb, table=table, rows=f"REFERENCING {row} TABLE AS {rows}", function=function),
            RAISE.format(name=function, rows=rows, unless_going=unless),
        )
    function, moved = f"raise_groups_by_update_of_{name}", MOVED.format(columns=shown(model))
    changed = f"WHEN ({shown(model, 'OLD.')}) IS NOT ({shown(model, 'NEW.')})"
    both = "REFERENCING OLD TABLE AS before NEW TABLE AS after"
    yield Trigger(
        f"{name}_update",
        model._meta.db_table,
        SQLITE.format(verb="UPDATE", table=table, when=changed, ids='IN (OLD."groupId", NEW."groupId")'),
        POSTGRESQL.format(verb="UPDATE", table=table, rows=both, function=function),
        RAISE.format(name=function, rows=moved, unless_going=""),
    )
    yield Trigger(
        f"{name}_truncate",
        model._meta.db_table,
        "",  # SQLite knows none
        POSTGRESQL.format(verb="TRUNCATE", table=table, rows="", function="raise_all_groups"),
        RAISE_ALL,
    )


TRIGGERS = (own_version(Group), *(each for model in AROUND for each in around(model)))


EVERY = (*of_users.TRIGGERS, *TRIGGERS)


def install(using: str = "default", **kwargs: Any) -> None:
    triggers.install(TRIGGERS, using=using)


def make_way(using: str = "default", **kwargs: Any) -> None:
    """For a migration on SQLite; PostgreSQL's stay."""
    if connections[using].vendor == "sqlite":
        triggers.lift(TRIGGERS, using=using)


def missing(cursor: Any, vendor: str) -> list[str]:
    """The names of the triggers, those of people too, that raise no version: without any of them none can be relied on.
    `cursor` may be a driver's own."""
    return triggers.missing(EVERY, cursor, vendor)
