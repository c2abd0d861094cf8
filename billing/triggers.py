"""The database's own refusal to change or delete a ledger entry.

SQLite drops a table's triggers when Django rebuilds the table for a migration: so they are made after every `migrate`.
"""

from typing import Any

from django.db import connections

SQLITE = """
CREATE TRIGGER IF NOT EXISTS ledger_append_only_{verb} BEFORE {verb} ON "ledgerEntries"
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
"""
POSTGRESQL = """
CREATE OR REPLACE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;
CREATE OR REPLACE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "ledgerEntries"
EXECUTE FUNCTION ledger_append_only();
"""
DROP_SQLITE = "DROP TRIGGER IF EXISTS ledger_append_only_{verb}"
DROP_POSTGRESQL = 'DROP TRIGGER IF EXISTS ledger_append_only ON "ledgerEntries"'


def install(using: str = "default", **kwargs: Any) -> None:
    _run(using, SQLITE, POSTGRESQL)


def lift(using: str = "default") -> None:
    """Only for the tear-down of tests, which empties tables."""
    _run(using, DROP_SQLITE, DROP_POSTGRESQL)


def _run(using: str, sqlite: str, postgresql: str) -> None:
    connection = connections[using]
    if "ledgerEntries" not in connection.introspection.table_names():
        return  # migrated only up to before billing
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for verb in ("UPDATE", "DELETE"):
                cursor.execute(sqlite.format(verb=verb))
        else:
            cursor.execute(postgresql)
