"""The database's own refusals: to change or delete a ledger entry, and to give a top-up another account's entry.

SQLite drops a table's triggers when Django rebuilds the table for a migration, and rebuilds none that another table's
trigger asks: so they are taken off before every `migrate`, and made after it.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection, connections

VERBS = ("UPDATE", "DELETE")

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
OWN_ENTRY_SQLITE = """
CREATE TRIGGER IF NOT EXISTS top_up_own_entry_{verb} BEFORE {verb} ON "topUps" WHEN NEW.entry_id IS NOT NULL AND
NOT EXISTS (SELECT 1 FROM "ledgerEntries" WHERE id = NEW.entry_id AND account_id = NEW.account_id)
BEGIN SELECT RAISE(ABORT, 'the entry of a top-up is its own account''s'); END
"""
OWN_ENTRY_POSTGRESQL = """
CREATE OR REPLACE FUNCTION top_up_own_entry() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
IF NEW.entry_id IS NOT NULL AND
NOT EXISTS (SELECT 1 FROM "ledgerEntries" WHERE id = NEW.entry_id AND account_id = NEW.account_id)
THEN RAISE EXCEPTION 'the entry of a top-up is its own account''s' USING ERRCODE = 'integrity_constraint_violation';
END IF; RETURN NEW; END $$;
CREATE OR REPLACE TRIGGER top_up_own_entry BEFORE INSERT OR UPDATE ON "topUps"
FOR EACH ROW EXECUTE FUNCTION top_up_own_entry();
"""
DROP_OWN_ENTRY_SQLITE = "DROP TRIGGER IF EXISTS top_up_own_entry_{verb}"
DROP_OWN_ENTRY_POSTGRESQL = 'DROP TRIGGER IF EXISTS top_up_own_entry ON "topUps"'
DROP_SQLITE = "DROP TRIGGER IF EXISTS ledger_append_only_{verb}"
GUARDED_SQLITE = """
SELECT replace(name, 'ledger_append_only_', '') FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledgerEntries'
"""
# The bits of pg_trigger.tgtype: https://www.postgresql.org/docs/current/catalog-pg-trigger.html
GUARDED_POSTGRESQL = """
SELECT verb FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
CROSS JOIN (VALUES ('DELETE', 8), ('UPDATE', 16), ('TRUNCATE', 32)) AS verbs (verb, bit)
WHERE tgrelid = '"ledgerEntries"'::regclass AND proname = 'ledger_append_only' AND tgenabled IN ('O', 'A')
AND tgtype & bit <> 0
"""
DROP_POSTGRESQL = 'DROP TRIGGER IF EXISTS ledger_append_only ON "ledgerEntries"'


def install(using: str = "default", **kwargs: Any) -> None:
    _run(using, SQLITE, POSTGRESQL)
    _run(using, OWN_ENTRY_SQLITE, OWN_ENTRY_POSTGRESQL, ("INSERT", "UPDATE"))


def make_way(using: str = "default", **kwargs: Any) -> None:
    """For a migration on SQLite; PostgreSQL's stay."""
    if connections[using].vendor == "sqlite":
        _run(using, DROP_OWN_ENTRY_SQLITE, "", ("INSERT", "UPDATE"))


def lift(using: str = "default") -> None:
    """Only for the tear-down of tests, which empties tables."""
    _run(using, DROP_SQLITE, DROP_POSTGRESQL)
    _run(using, DROP_OWN_ENTRY_SQLITE, DROP_OWN_ENTRY_POSTGRESQL, ("INSERT", "UPDATE"))


def unguarded() -> list[str]:
    """The statements that no trigger refuses, by what the database says of itself."""
    with connection.cursor() as cursor:
        cursor.execute(GUARDED_SQLITE if connection.vendor == "sqlite" else GUARDED_POSTGRESQL)
        guarded = {verb for (verb,) in cursor.fetchall()}
    verbs = VERBS if connection.vendor == "sqlite" else (*VERBS, "TRUNCATE")
    return [verb for verb in verbs if verb not in guarded]


def _run(using: str, sqlite: str, postgresql: str, verbs: Sequence[str] = VERBS) -> None:
    connection = connections[using]
    if "ledgerEntries" not in connection.introspection.table_names():
        return  # migrated only up to before billing
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for verb in verbs:
                cursor.execute(sqlite.format(verb=verb))
        else:
            cursor.execute(postgresql)
