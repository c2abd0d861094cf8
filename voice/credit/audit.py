# ruff: noqa: S608  # SQL of our own names alone
"""Proves that what calls say of their charge is what the ledger says: a part of `manage.py check_ledger`.

Calls and entries are laid one under the other and summed by call and account, in one pass over both: where the sum is
not 0, or nothing but an entry is there, they differ. A call's corrections are entries of its own, and sum up with it.
"""

from collections.abc import Iterator
from typing import Any

from django.db import connection

from billing.audit.invariants import Tell
from billing.audit.parts import Part, parts
from billing.audit.report import MOST_NAMED, Finding
from billing.models import LedgerEntry
from core.deadline import is_over

CHARGED, CALLED = "every charged call has entries for what it says", "every entry of a call has its charged call"
SID = {
    "postgresql": "split_part(reference, ':', 2)",
    "sqlite": "substr(reference, 8, instr(substr(reference, 8) || ':', ':') - 1)",
}
"""Of the references that `charges.py` writes: `twilio:CA…`, and for corrections `twilio:CA…:corrected:1`,
for captions `twilio:CA…:captions`."""
SUMS = """
    SELECT sid, max(is_call) AS is_call, sum(is_call) AS calls, sum(1 - is_call) AS entries, sum(micros) AS micros
    FROM (
        SELECT sid, payer_id AS account_id, 1 AS is_call,
            charged_micros + coalesce(captions_micros, 0) AS micros
        FROM "callSessions" WHERE charged_micros IS NOT NULL AND {of_payer}
        UNION ALL
        SELECT CASE WHEN substr(reference, 1, 7) = 'twilio:' THEN {sid} ELSE reference END, account_id, 0, amount_micros
        FROM "ledgerEntries" WHERE kind = 'call' AND {of_account}
    ) AS both_sides GROUP BY sid, account_id
"""
DIFFERENT, NO_CALL = "is_call = 1 AND micros <> 0", "is_call = 0"
COUNTS = f"""
    SELECT coalesce(sum(calls), 0), coalesce(sum(entries), 0), count(CASE WHEN {DIFFERENT} THEN 1 END),
    count(CASE WHEN {NO_CALL} THEN 1 END) FROM ({SUMS}) AS sums
"""
NAMES = f"SELECT sid FROM ({SUMS}) AS sums WHERE {{wrong}} ORDER BY sid LIMIT {MOST_NAMED}"


def prove_charges(tell: Tell) -> Iterator[Finding]:
    """Parted by accounts, for an entry stands on the account that its call names as its payer."""
    calls, entries = Finding(CHARGED), Finding(CALLED)
    for part in parts(LedgerEntry.objects.all(), "account_id"):
        if is_over():
            calls.is_whole = entries.is_whole = False
            break
        call_count, entry_count, different, without_call = map(int, ask(part, COUNTS)[0])
        calls.add(call_count, different, named(part, DIFFERENT) if different else ())
        entries.add(entry_count, without_call, named(part, NO_CALL) if without_call else ())
        tell(calls)
    yield calls
    yield entries


def named(part: Part, wrong: str) -> list[str]:
    return [sid for (sid,) in ask(part, NAMES, wrong=wrong)]


def ask(part: Part, statement: str, **values: str) -> list[Any]:
    bounds = [bound for bound in (part.after, part.upto) if bound is not None]
    columns = {"of_payer": within(part, "payer_id"), "of_account": within(part, "account_id")}
    with connection.cursor() as cursor:
        cursor.execute(statement.format(sid=SID[connection.vendor], **columns, **values), bounds * 2)
        rows: list[Any] = cursor.fetchall()
    return rows


def within(part: Part, column: str) -> str:
    """What nobody pays, and still says that it was charged, belongs to the first part."""
    above = None if part.after is None else f"{column} > %s"
    upto = None if part.upto is None else f"{column} <= %s"
    inside = " AND ".join(filter(None, (above, upto))) or "TRUE"
    return inside if above else f"({column} IS NULL OR {inside})"
