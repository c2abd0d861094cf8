"""The database itself raises a group's version: with each change of its row, of its four lists, and of its activities.

Nothing here raises a person's version: people are locked after groups. Only what answers show counts. So who sent an
invitation does not: it is emptied when they go, and who deletes them holds no lock of that group.
"""

from collections.abc import Iterator

from django.db import connection
from django.db.models import F, Model

from core.triggers import Trigger, own_version
from groups.models import PARTS, Activity, Group, Participant
from users import triggers as of_users

AROUND: tuple[type[Model], ...] = (*PARTS, Participant, Activity)
NOT_SHOWN = ("invited_by", "version")
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
CHANGED = """(
  (SELECT {columns} FROM before EXCEPT SELECT {columns} FROM after)
  UNION (SELECT {columns} FROM after EXCEPT SELECT {columns} FROM before)
) AS changed"""
RAISE_EVERY = """
INSERT INTO "everyGroup" (id, version) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET version = "everyGroup".version + 1;
"""
UNLESS_GOES = f"IF current_setting('{GOES}', true) IS DISTINCT FROM 'on' THEN {RAISE_EVERY} END IF;"


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

    yield trigger(
        "INSERT",
        "REFERENCING NEW TABLE AS after",
        "raise_groups_of_new",
        RAISE.format(rows="after"),
        sqlite=on_sqlite("INSERT", '= NEW."groupId"'),
    )
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
    yield trigger("TRUNCATE", "", "raise_every_group", RAISE_EVERY, sqlite="")  # which knows none


TRIGGERS = (own_version(Group), *(each for model in AROUND for each in around(model)))

EVERY = (*of_users.TRIGGERS, *TRIGGERS)
"""Those of people too: without any of them no version can be relied on."""
