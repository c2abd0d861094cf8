"""Whether the database itself keeps the ledger: its triggers and its unique constraints, looked up and tried."""

from django.db import DatabaseError, connection, transaction

from billing import triggers
from billing.audit.report import Finding
from billing.models import LedgerEntry

UNIQUE = (("ledgerEntries", "reference"), ("topUps", "entry_id"), ("accounts", "user_id"))
FORBIDDEN = "42501"
ATTEMPTS = {
    "UPDATE": 'UPDATE "ledgerEntries" SET memo = memo WHERE id = (SELECT max(id) FROM "ledgerEntries")',
    "DELETE": 'DELETE FROM "ledgerEntries" WHERE id = (SELECT max(id) FROM "ledgerEntries")',
}


def refusals() -> Finding:
    """What the database says of its triggers, and whether they really refuse: tried on an entry, and taken back."""
    tried = triggers.VERBS if LedgerEntry.objects.exists() else ()
    wrong = [f"no trigger against {verb}" for verb in triggers.unguarded()]
    wrong += [f"{verb} is not refused" for verb in tried if not is_refused(ATTEMPTS[verb])]
    return Finding("the database refuses to change an entry", len(tried), len(wrong), tuple(wrong))


def is_refused(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            transaction.set_rollback(True)
    except DatabaseError as error:
        forbidden = getattr(error.__cause__, "pgcode", None) == FORBIDDEN  # the server's own user may not even try
        if not forbidden and "append-only" not in str(error):
            raise
        return True
    return False


def constraints() -> Finding:
    missing = [f"{table}.{column}" for table, column in UNIQUE if not is_unique(table, column)]
    return Finding("the database refuses a second entry for one thing", len(UNIQUE), len(missing), tuple(missing))


def is_unique(table: str, column: str) -> bool:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table).values()
    return any(each["unique"] and each["columns"] == [column] for each in found)
