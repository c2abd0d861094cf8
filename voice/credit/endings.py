"""How a leg ended, and writing it into its row: a later and better word corrects the one before, the charge with it."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from voice.credit.limits import FOUR_HOURS, can_have_lasted
from voice.models import Call
from voice.telephony.interface import CallReport

logger = logging.getLogger(__name__)

FIRST_WAIT = timedelta(minutes=2)
"""From a leg's end until its price is asked: it is not known at once."""
MOST_TOLD = 40  # letters


@dataclass(frozen=True, slots=True)
class Ending:
    status: str
    source: Call.EndSource
    at: datetime | None = None
    """When it ended. None where nobody has said: then it is now."""
    duration: int | None = None
    """Seconds. None where nobody has said: then it is what lies between its start and its end, up to four hours."""
    duration_told: str = ""
    """What was said instead, where that cannot be."""
    start: datetime | None = None


def answer(report: CallReport) -> Ending:
    """What Twilio says, asked about a leg that has ended."""
    return ending(
        report.status,
        Call.EndSource.ANSWER,
        duration=report.duration,
        told=report.duration_told,
        at=report.end_time,
        start=report.start_time,
    )


def ending(
    status: str,
    source: Call.EndSource,
    *,
    duration: int | None,
    told: str,
    at: datetime | None = None,
    start: datetime | None = None,
) -> Ending:
    """What Twilio says. A duration that is none, or that no leg can have, is kept aside for staff, and counts as not
    said."""
    if duration is not None and can_have_lasted(duration):
        return Ending(status, source, at, duration, start=start)
    return Ending(status, source, at, None, told[:MOST_TOLD], start)


def write_ending(row: Call, ending: Ending, *, now: datetime) -> bool:
    """Fills in the end, unless a better word of it is there; whether it did. `row` is locked, the caller saves it.

    The times are Twilio's: never in the future, nor the end before the start.
    """
    if row.end_time and not outweighs(ending, row.end_source):
        return False
    is_first, before = row.end_time is None, (row.status, row.duration)
    known = row.end_time if ending.source == Call.EndSource.ANSWER else None  # or each answer would move it
    row.end_time = min(ending.at or known or now, now)
    row.duration = lasted(row) if ending.duration is None else ending.duration
    row.duration_told = ending.duration_told
    if ending.duration_told:
        logger.error("Call %s has a duration that cannot be: it is kept aside for staff", row.sid)
    row.start_time = min(ending.start or row.end_time - timedelta(seconds=row.duration), row.end_time)
    row.status, row.end_source, row.heard_at, row.ask_again_at = ending.status, ending.source, now, None
    if ending.source != Call.EndSource.ASSUMED:
        row.doubted_at = None
    if is_first or before != (row.status, row.duration):
        ask_for_price(row, is_first=is_first, now=now)
    return True


def outweighs(ending: Ending, known: str) -> bool:
    """The first event counts. A later answer wins over an earlier one, and so does an assumption, for it knows more."""
    if known == Call.EndSource.ASSUMED:
        return True
    is_said = ending.source != Call.EndSource.ASSUMED and ending.duration is not None
    return is_said and known != Call.EndSource.EVENT


def lasted(row: Call) -> int:
    """By our own knowledge: from its start, or from when it was let in."""
    begun = row.start_time or row.created_at
    seconds = int((row.end_time - begun).total_seconds()) if row.end_time else 0
    return min(max(seconds, 0), FOUR_HOURS)


def ask_for_price(row: Call, *, is_first: bool, now: datetime) -> None:
    """Lets the price be asked, of an end that was corrected at once: it may be known, and the charge must follow."""
    if row.settled_by == Call.SettledBy.STAFF:
        return
    if row.status == "completed" or not is_first:
        row.price_due_at, row.price_attempts = now + FIRST_WAIT if is_first else now, 0
    else:  # nobody answered, or it failed: that costs nothing
        row.price_micros, row.charged_micros, row.settled_by = 0, 0, Call.SettledBy.PRICE
