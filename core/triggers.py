"""Triggers that stand on a table, by what each database calls it: made after `migrate`, and looked for.

SQLite drops a table's triggers when Django rebuilds the table for a migration, and rebuilds none that another table's
trigger reads or writes: so there they are taken off before every `migrate`.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from django.apps import AppConfig
from django.db import connections
from django.db.models import Model
from django.db.models.signals import post_migrate, pre_migrate


class Trigger(NamedTuple):
    """What follows a trigger's name, on either database: empty where it is not needed. PostgreSQL calls a function."""

    name: str
    table: str
    sqlite: str
    postgresql: str
    function: str

    def sql(self, vendor: str) -> str:
        if vendor == "sqlite":
            return f"CREATE TRIGGER IF NOT EXISTS {self.name} {self.sqlite}"
        return f"{self.function} CREATE OR REPLACE TRIGGER {self.name} {self.postgresql}"

    def drop_sql(self, vendor: str) -> str:
        on_table = "" if vendor == "sqlite" else f' ON "{self.table}"'
        return f"DROP TRIGGER IF EXISTS {self.name}{on_table}"


def of(vendor: str, triggers: Iterable[Trigger]) -> list[Trigger]:
    return [each for each in triggers if getattr(each, vendor)]


def own_version(model: type[Model], *, only_grows: str = "") -> Trigger:
    """Raises a row's own `version` when anything else in the row changes: by one, whatever the writer says of it.

    Nor does a writer who has read the row before set the column `only_grows` back. SQLite lets no trigger change what
    is being written: there it writes once more.
    """
    table, columns = model._meta.db_table, [f'"{field.column}"' for field in model._meta.local_concrete_fields]
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    others = ", ".join(column for column in columns if column != '"version"')
    kept, raised = "", "NEW.version := OLD.version + 1;"
    if only_grows:
        kept = f', "{only_grows}" = max(OLD."{only_grows}", NEW."{only_grows}")'
        raised += f' NEW."{only_grows}" := greatest(OLD."{only_grows}", NEW."{only_grows}");'
    return Trigger(
        f"{table}_version",
        table,
        sqlite=f'AFTER UPDATE OF {others} ON "{table}" WHEN ({old}) IS NOT ({new}) '
        f'BEGIN UPDATE "{table}" SET version = OLD.version + 1{kept} WHERE id = NEW.id; END',
        postgresql=f'BEFORE UPDATE ON "{table}" FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) '
        f"EXECUTE FUNCTION raise_own_version_of_{table}()",
        function=f"CREATE OR REPLACE FUNCTION raise_own_version_of_{table}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {raised} RETURN NEW; END $$;",
    )


THERE = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A') AND NOT tgisinternal "
    "AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace)",
}


def follow_migrations(
    app: AppConfig, triggers: Iterable[Trigger], *, in_the_way: Iterable[Trigger] | None = None
) -> None:
    """Has an app's triggers stand whenever `migrate` is over; those that are in its way, all where none are named, are
    off meanwhile."""
    off = triggers if in_the_way is None else in_the_way
    pre_migrate.connect(partial(make_way, off), sender=app, weak=False)
    post_migrate.connect(partial(install, triggers), sender=app, weak=False)


def install(triggers: Iterable[Trigger], using: str = "default", **kwargs: Any) -> None:
    run(triggers, using=using, statement=Trigger.sql)


def make_way(triggers: Iterable[Trigger], using: str = "default", **kwargs: Any) -> None:
    """For a migration on SQLite; PostgreSQL's stay."""
    if connections[using].vendor == "sqlite":
        lift(triggers, using=using)


def lift(triggers: Iterable[Trigger], using: str = "default") -> None:
    run(triggers, using=using, statement=Trigger.drop_sql)


def run(triggers: Iterable[Trigger], *, using: str, statement: Callable[[Trigger, str], str]) -> None:
    """For those whose tables are there: `migrate` may have gone only part of the way."""
    connection = connections[using]
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for each in of(connection.vendor, triggers):
            if each.table in tables:
                cursor.execute(statement(each, connection.vendor))


def missing(triggers: Iterable[Trigger], vendor: str, there: Iterable[Sequence[str]]) -> list[str]:
    """The names of those that are not there, or are switched off, by what THERE has found."""
    found = {name for (name,) in there}
    return [each.name for each in of(vendor, triggers) if each.name not in found]
