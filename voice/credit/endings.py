"""How a leg ended, and writing it into its row: a later and better word corrects the one before, the charge with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from voice.credit.limits import FOUR_HOURS
from voice.models import Call
from voice.telephony.interface import CallReport

FIRST_WAIT = timedelta(minutes=2)
"""From a leg's end until its price is asked: it is not known at once."""
LONGEST_CALL = 2**31 - 1  # seconds: what the column holds


@dataclass(frozen=True, slots=True)
class Ending:
    status: str
    source: Call.EndSource
    at: datetime | None = None
    """When it ended. None where nobody has said: then it is now."""
    duration: int | None = None
    """Seconds. None where nobody has said: then it is what lies between its start and its end, up to four hours."""
    start: datetime | None = None


def answer(report: CallReport) -> Ending:
    """What Twilio says, asked about a leg that has ended."""
    return Ending(report.status, Call.EndSource.ANSWER, report.end_time, report.duration, report.start_time)


def write_ending(row: Call, ending: Ending, *, now: datetime) -> bool:
    """Fills in the end, unless a better word of it is there; whether it did. `row` is locked, the caller saves it.

    The times are Twilio's: never in the future, nor the end before the start.
    """
    if row.end_time and not outweighs(ending, row.end_source):
        return False
    is_first, before = row.end_time is None, (row.status, row.duration)
    row.end_time = min(ending.at or now, now)
    row.duration = min(lasted(row) if ending.duration is None else ending.duration, LONGEST_CALL)
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
    seconds = int((row.end_time - row.start_time).total_seconds()) if row.end_time and row.start_time else 0
    return min(max(seconds, 0), FOUR_HOURS)


def ask_for_price(row: Call, *, is_first: bool, now: datetime) -> None:
    """Lets the price be asked, of an end that was corrected at once: it may be known, and the charge must follow."""
    if row.settled_by == Call.SettledBy.STAFF:
        return
    if row.status == "completed" or not is_first:
        row.price_due_at, row.price_attempts = now + FIRST_WAIT if is_first else now, 0
    else:  # nobody answered, or it failed: that costs nothing
        row.price_micros, row.charged_micros, row.settled_by = 0, 0, Call.SettledBy.PRICE
