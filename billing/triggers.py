"""The database's own refusals: to change or delete a ledger entry, and to give a top-up another account's entry.

They stand whenever `migrate` is over (`core/triggers.py`); on SQLite those that ask the ledger are off meanwhile.
"""

from django.db import connection

from core import triggers
from core.triggers import Trigger

VERBS = ("UPDATE", "DELETE")
LEDGER, TOP_UPS = "ledgerEntries", "topUps"

APPEND_ONLY = (
    *(
        Trigger(
            f"ledger_append_only_{verb}",
            LEDGER,
            sqlite=f"BEFORE {verb} ON \"{LEDGER}\" BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
            postgresql="",
            function="",
        )
        for verb in VERBS
    ),
    Trigger(
        "ledger_append_only",
        LEDGER,
        sqlite="",
        postgresql=f'BEFORE UPDATE OR DELETE OR TRUNCATE ON "{LEDGER}" EXECUTE FUNCTION ledger_append_only()',
        function="CREATE OR REPLACE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;",
    ),
)
ANOTHERS = """
NEW.entry_id IS NOT NULL AND
NOT EXISTS (SELECT 1 FROM "ledgerEntries" WHERE id = NEW.entry_id AND account_id = NEW.account_id)
"""
OWN_ENTRY = (
    *(
        Trigger(
            f"top_up_own_entry_{verb}",
            TOP_UPS,
            sqlite=f'BEFORE {verb} ON "{TOP_UPS}" WHEN {ANOTHERS} '
            "BEGIN SELECT RAISE(ABORT, 'the entry of a top-up is its own account''s'); END",
            postgresql="",
            function="",
        )
        for verb in ("INSERT", "UPDATE")
    ),
    Trigger(
        "top_up_own_entry",
        TOP_UPS,
        sqlite="",
        postgresql=f'BEFORE INSERT OR UPDATE ON "{TOP_UPS}" FOR EACH ROW EXECUTE FUNCTION top_up_own_entry()',
        function=f"""
CREATE OR REPLACE FUNCTION top_up_own_entry() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
IF {ANOTHERS}
THEN RAISE EXCEPTION 'the entry of a top-up is its own account''s' USING ERRCODE = 'integrity_constraint_violation';
END IF; RETURN NEW; END $$;
""",
    ),
)
TRIGGERS = (*APPEND_ONLY, *OWN_ENTRY)

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


def install() -> None:
    triggers.install(TRIGGERS)


def lift() -> None:
    """Only for the tear-down of tests, which empties tables."""
    triggers.lift(TRIGGERS)


def unguarded() -> list[str]:
    """The statements that no trigger refuses, by what the database says of itself."""
    with connection.cursor() as cursor:
        cursor.execute(GUARDED_SQLITE if connection.vendor == "sqlite" else GUARDED_POSTGRESQL)
        guarded = {verb for (verb,) in cursor.fetchall()}
    verbs = VERBS if connection.vendor == "sqlite" else (*VERBS, "TRUNCATE")
    return [verb for verb in verbs if verb not in guarded]
