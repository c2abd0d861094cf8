"""How a leg ended, and writing it into its row: a later and better word corrects the one before, the charge with it."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf

from voice.credit.limits import ALLOWANCE, FOUR_HOURS, can_have_lasted
from voice.models import Call
from voice.telephony.interface import CallReport, telephony

logger = logging.getLogger(__name__)

FIRST_WAIT = timedelta(minutes=2)
"""From a leg's end until its price is asked: it is not known at once, but where calls are played."""
MOST_TOLD = 40  # letters
WRITTEN = "%Y-%m-%d %H:%M:%S"
CLOCKS = timedelta(seconds=ALLOWANCE)


@dataclass(frozen=True, slots=True)
class Ending:
    """What is said of it; `believed` says what of that can be."""

    status: str
    source: Call.EndSource
    at: datetime | None = None
    """When it ended. None where nobody has said: then it is now."""
    duration: int | None = None
    """Seconds. None where nobody has said: then it is what lies between its start and its end, up to four hours."""
    duration_told: str = ""
    """As it was said."""
    start: datetime | None = None


def answer(report: CallReport) -> Ending:
    """What Twilio says, asked about a leg that has ended."""
    source = Call.EndSource.ANSWER
    return Ending(
        report.status, source, report.end_time, report.duration, report.duration_told, start=report.start_time
    )


def believed(said: Ending, row: Call, *, now: datetime) -> Ending:
    """What of it can be, of this leg: the rest is kept aside for staff, in `duration_told`, and counts as not said."""
    latest = row.end_time if row.end_time and row.end_source != Call.EndSource.ASSUMED else now
    start, at = (time if can_be(time, row, latest=latest) else None for time in (said.start, said.at))
    duration = said.duration if can_be_length(said.duration, row, ended=at or latest) else None
    aside = [said.duration_told[:MOST_TOLD]] if duration is None and said.duration_told else []
    aside += [f"start {said.start:{WRITTEN}}"] if said.start != start else []
    aside += [f"end {said.at:{WRITTEN}}"] if said.at != at else []
    source = said.source
    if source == Call.EndSource.EVENT and duration is None:
        if said.status == "completed":
            source = Call.EndSource.ANSWER  # what is left out, or cannot be, may still be told
        else:
            duration = 0  # nobody talked
    return replace(said, source=source, at=at, duration=duration, duration_told=", ".join(aside), start=start)


def can_be(time: datetime | None, row: Call, *, latest: datetime) -> bool:
    """Whether a leg can have begun or ended then."""
    begun = let_in_at(row)
    return time is None or ((begun is None or begun - CLOCKS <= time) and time <= latest + CLOCKS)


def can_be_length(seconds: int | None, row: Call, *, ended: datetime) -> bool:
    begun = let_in_at(row)
    since_begun = (ended - begun).total_seconds() if begun else inf
    return seconds is not None and can_have_lasted(seconds, since_begun=since_begun)


def let_in_at(row: Call) -> datetime | None:
    """When Twilio asked for it. None where it never has, for only events tell of the leg, and where calls are played:
    these last as long as they say."""
    return None if row.is_nobodys or telephony().is_played else row.created_at


def write_ending(row: Call, ending: Ending, *, now: datetime) -> bool:
    """Fills in the end, unless a better word of it is there; whether it did. `row` is locked, the caller saves it.

    The times are Twilio's: never in the future, nor the end before the start.
    """
    if ending.source != Call.EndSource.ASSUMED:
        ending = believed(ending, row, now=now)
    if row.end_time and not outweighs(ending, row.end_source):
        return False
    is_first, before = row.end_time is None, (row.status, row.duration)
    known = row.end_time if ending.source == Call.EndSource.ANSWER else None  # or each answer would move it
    row.end_time = min(ending.at or known or now, now)
    row.duration = lasted(row) if ending.duration is None else ending.duration
    row.duration_told = ending.duration_told
    if ending.duration_told:
        logger.error("Call %s has a duration, start or end that cannot be: it is kept aside for staff", row.sid)
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
        is_known = telephony().is_played or not is_first
        row.price_due_at, row.price_attempts = now if is_known else now + FIRST_WAIT, 0
    else:  # nobody answered, or it failed: that costs nothing
        row.price_micros, row.charged_micros, row.settled_by = 0, 0, Call.SettledBy.PRICE
        if row.ring_id and row.is_named:  # unless Twilio says otherwise
            row.charged_minutes, row.price_due_at, row.price_attempts = row.minutes, now + FIRST_WAIT, 0
