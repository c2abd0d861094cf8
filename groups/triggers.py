"""The database itself raises a group's version: with each change of its row, of its four lists, and of its activities.
It numbers activities, by a count in the group's row that is taken under the row's lock.

Nothing here raises a person's version: people are locked after groups. Only what answers show counts. So who sent an
invitation, or rings somebody, does not: it is emptied when they go, and who deletes them holds no lock of that group.
"""

from collections.abc import Iterable, Iterator, Sequence

from django.db import connection
from django.db.models import F, Model

from core import triggers
from core.triggers import Trigger, own_version
from groups import caption_triggers as of_captions
from groups.models import PARTS, Activity, Group, Participant, Ring
from users import triggers as of_users

AROUND: tuple[type[Model], ...] = (*PARTS, Participant, Ring, Activity)
NOT_SHOWN = ("invited_by", "by", "changed_at", "number", "version")
GOES = "voicechat.goes"
"""A setting of PostgreSQL's: "on" for the rest of a transaction that deletes groups or people."""

SQLITE = """
AFTER {verb} ON "{table}" {when} BEGIN UPDATE groups SET version = version + 1 WHERE id {ids} AND version > 0; END
"""
POSTGRESQL = 'AFTER {verb} ON "{table}" {rows} FOR EACH STATEMENT EXECUTE FUNCTION {function}()'
# Its plan is kept as long as the connection: made while there were few groups, it would scan them when they are many.
FUNCTION = (
    "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off "
    "AS $$ BEGIN {work} RETURN NULL; END $$;"
)
# A statement counts once, however many rows it writes, and locks groups in the order that everybody keeps.
RAISE = """
UPDATE groups SET version = version + 1 WHERE id = ANY (ARRAY(
  SELECT id FROM groups WHERE id = ANY (ARRAY(SELECT DISTINCT "groupId" FROM {rows})) ORDER BY id FOR NO KEY UPDATE
));
"""
# Those of one statement are numbered in the order of their ids. Each statement here sees what was committed before it.
NUMBER = """
PERFORM FROM groups WHERE id = ANY (ARRAY(SELECT DISTINCT "groupId" FROM {rows})) ORDER BY id FOR NO KEY UPDATE;
UPDATE groups SET "lastActivity" = "lastActivity" + added.many
  FROM (SELECT "groupId", count(*) AS many FROM {rows} GROUP BY "groupId") AS added WHERE groups.id = added."groupId";
UPDATE activities SET number = "lastActivity" - added.behind
  FROM (SELECT id, "groupId", row_number() OVER (PARTITION BY "groupId" ORDER BY id DESC) - 1 AS behind FROM {rows})
  AS added JOIN groups ON groups.id = added."groupId" WHERE activities.id = added.id;
"""
NUMBER_ON_SQLITE = """
AFTER INSERT ON activities BEGIN
UPDATE groups SET "lastActivity" = "lastActivity" + 1 WHERE id = NEW."groupId";
UPDATE activities SET number = (SELECT "lastActivity" FROM groups WHERE id = NEW."groupId") WHERE id = NEW.id; END
"""
CHANGED = """(
  (SELECT {columns} FROM before EXCEPT SELECT {columns} FROM after)
  UNION (SELECT {columns} FROM after EXCEPT SELECT {columns} FROM before)
) AS changed"""
LISTS_OF_EVERY_GROUP = 2
"""The row of `everyGroup` that tells of more than deleted activities."""
RAISE_EVERY = """
INSERT INTO "everyGroup" (id, version) VALUES {rows} ON CONFLICT (id) DO UPDATE SET version = "everyGroup".version + 1;
"""
RAISE_ALL = RAISE_EVERY.format(rows=f"(1, 1), ({LISTS_OF_EVERY_GROUP}, 1)")
UNLESS_GOES = (
    f"IF current_setting('{GOES}', true) IS DISTINCT FROM 'on' THEN {RAISE_EVERY.format(rows='(1, 1)')} END IF;"
)


class NotCountedError(RuntimeError):
    """The database does not count versions: it is not migrated, or being migrated."""


def check_counted(vendor: str, there: Iterable[Sequence[str]]) -> None:
    """Raises NotCountedError where a trigger is not there (by `core.triggers.THERE`): not all changes are counted."""
    if triggers.missing((*EVERY, *of_captions.TRIGGERS), vendor, there):
        raise NotCountedError


def stop_counting(group: Group | None = None) -> None:
    """Before this group, or a person, is deleted: with either may go 100,000 activities.

    PostgreSQL tells the groups of deleted rows apart at twice the cost of deleting them. So activities that are deleted
    raise every group, but not those that go with a group, of which nobody asks any more, or with a person, who is
    missed wherever they are shown. SQLite has triggers for rows alone: a group with a version below 0 is passed over.
    Nobody else sees that version: it goes with the row, or is undone with the deletion.
    """
    if connection.vendor == "sqlite":
        if group is not None:
            Group.objects.filter(pk=group.pk).update(version=-F("version"))
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, 'on', true)", [GOES])


def shown(model: type[Model], row: str = "") -> str:
    columns = [field.column for field in model._meta.local_concrete_fields if field.name not in NOT_SHOWN]
    return ", ".join(f'{row}"{column}"' for column in columns)


def around(model: type[Model]) -> Iterator[Trigger]:
    """Those of a table whose rows hang on a group."""
    table, name = model._meta.db_table, str(model._meta.model_name)

    def trigger(verb: str, rows: str, function: str, work: str, *, sqlite: str) -> Trigger:
        postgresql = POSTGRESQL.format(verb=verb, table=table, rows=rows, function=function)
        return Trigger(f"{name}_{verb.lower()}", table, sqlite, postgresql, FUNCTION.format(name=function, work=work))

    def on_sqlite(verb: str, ids: str, when: str = "") -> str:
        return SQLITE.format(verb=verb, table=table, ids=ids, when=when)

    new = "REFERENCING NEW TABLE AS after"
    if model is Activity:
        yield trigger("INSERT", new, "number_new_activities", NUMBER.format(rows="after"), sqlite=NUMBER_ON_SQLITE)
    else:
        raised = on_sqlite("INSERT", '= NEW."groupId"')
        yield trigger("INSERT", new, "raise_groups_of_new", RAISE.format(rows="after"), sqlite=raised)
    yield trigger(
        "UPDATE",
        "REFERENCING OLD TABLE AS before NEW TABLE AS after",
        f"raise_groups_of_changed_{name}",
        RAISE.format(rows=CHANGED.format(columns=shown(model))),
        sqlite=on_sqlite(
            "UPDATE",
            'IN (OLD."groupId", NEW."groupId")',
            when=f"WHEN ({shown(model, 'OLD.')}) IS NOT ({shown(model, 'NEW.')})",
        ),
    )
    deleted = on_sqlite("DELETE", '= OLD."groupId"')
    if model is Activity:
        yield trigger("DELETE", "", "raise_every_group_unless_it_goes", UNLESS_GOES, sqlite=deleted)
    else:
        rows, work = "REFERENCING OLD TABLE AS before", RAISE.format(rows="before")
        yield trigger("DELETE", rows, "raise_groups_of_deleted", work, sqlite=deleted)
    yield trigger("TRUNCATE", "", "raise_every_group", RAISE_ALL, sqlite="")  # which knows none


TRIGGERS = (
    own_version(Group, only_grows="lastActivity"),
    *(each for model in AROUND for each in around(model)),
)

EVERY = (*of_users.TRIGGERS, *TRIGGERS)
"""Those of people too: without any of them no version can be relied on."""
