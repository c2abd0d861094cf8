"""Counts and sums before and after, each read by itself from the database that it is about."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from billing.audit.invariants import check_ledger
from core.wire import MICROS_PER_DOLLAR
from voicechat.adoption.folk import everybody
from voicechat.adoption.source import Source
from voicechat.adoption.steps import Step, World
from voicechat.adoption.tally import DROPPED, MERGED, Tally
from voicechat.adoption.values import dollars, micros


class Line(NamedTuple):
    title: str
    before: int | str
    merged: int | str
    left_out: int | str
    after: int | str
    agrees: bool


def compared(steps: Iterable[Step], source: Source, tallies: dict[str, Tally]) -> list[Line]:
    lines = [rows_of(step, source, tallies[step.table]) for step in steps]
    return [*lines, *money(source, tallies["users"]), prices(source)]


def rows_of(step: Step, source: Source, tally: Tally) -> Line:
    before, after = source.count(step.table), one(f'SELECT count(*) FROM "{step.table}"')
    merged, left_out = tally.gone(MERGED), tally.gone(DROPPED)
    return Line(step.words, before, merged, left_out, after, before - merged - left_out == after)


def money(source: Source, tally: Tally) -> list[Line]:
    """Balances: as they were written, rounded; in the ledger; and as people see them."""
    before = sum((dollars(row.get("accountBalance")) or Decimal(0) for row in everybody(source)), Decimal(0))
    rounded = before + tally.rounding
    posted = one("SELECT sum(amount_micros) FROM \"ledgerEntries\" WHERE kind = 'opening_balance'")
    shown = one('SELECT sum("accountBalance") FROM users')
    lines = (("dollars in the ledger", posted), ("dollars that people see", shown))
    return [Line(title, f"{before:f}", "", "", in_dollars(after), rounded == exact(after)) for title, after in lines]


def prices(source: Source) -> Line:
    rows = (row for _, part in source.by_id("callSessions") for row in part)
    before = sum(micros(-abs(dollars(row.get("price")) or Decimal(0))) for row in rows)
    after = one('SELECT sum(price) FROM "callSessions"')
    return Line("dollars that calls cost", in_dollars(before), "", "", in_dollars(after), before == after)


def exact(amount_micros: int) -> Decimal:
    return Decimal(amount_micros) / MICROS_PER_DOLLAR


def in_dollars(amount_micros: int) -> str:
    return f"{exact(amount_micros):.6f}"


def one(question: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return int(cursor.fetchone()[0] or 0)


def disagreements(lines: Iterable[Line]) -> list[str]:
    return [f"{each.title}: {each.before} before, and {each.after} after" for each in lines if not each.agrees]


def ledger_faults(world: World) -> list[str]:
    findings = check_ledger(now=world.now)
    return [f"{each.check}: {each.wrong:,} not" for each in findings if each.wrong and not each.is_warning]
