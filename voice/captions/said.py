"""What Twilio tells of what somebody says, read with care: what cannot be read is nothing.

https://www.twilio.com/docs/voice/twiml/transcription#statuscallbackurl
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.wire import is_visible, number_in
from groups.caption_models import MOST_LETTERS
from voice.telephony.times import read_iso_time

LANGUAGE = re.compile("[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
LONGEST_LANGUAGE = 35
CLOCKS = timedelta(minutes=2)
"""By which Twilio's clock and ours may differ."""
STEP = timedelta(milliseconds=1)
"""Times are shown to the millisecond: two captions of one phone never have the same."""


@dataclass(frozen=True, slots=True)
class Said:
    sequence_id: int
    """Twilio's count of all that it tells of one phone, in the order in which it happened."""
    text: str
    """Empty where nothing was understood."""
    is_final: bool
    at: datetime
    language: str


def read_said(params: Mapping[str, str], *, begun: datetime, now: datetime) -> Said | None:
    """None for the other side's track, and without a usable number: what comes twice would be told twice.

    `begun` is when the leg was let in: nothing was said before.
    """
    sequence_id = number_in(params.get("SequenceId", ""))
    if sequence_id is None or params.get("Track", "inbound_track") != "inbound_track":
        return None
    told = params.get("LanguageCode", "")
    return Said(
        sequence_id,
        transcript(params.get("TranscriptionData", "")),
        params.get("Final", "").lower() == "true",
        when(params.get("Timestamp", ""), begun=begun, now=now),
        told if LANGUAGE.fullmatch(told) and len(told) <= LONGEST_LANGUAGE else "",
    )


def transcript(data: str) -> str:
    """Plain text, whatever stands in it: up to MOST_LETTERS of it, without what no database holds."""
    try:
        read = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    text = read.get("transcript") if isinstance(read, dict) else None
    if not isinstance(text, str):
        return ""
    text = text.encode("utf-8", "replace").decode().replace("\x00", "")[:MOST_LETTERS].strip()
    return text if is_visible(text) else ""


def when(told: str, *, begun: datetime, now: datetime) -> datetime:
    """The vendor's time, never in the future; that of receipt where it is none, or cannot be."""
    at = read_iso_time(told)
    if at is None or at > now or at < begun - CLOCKS:
        at = now
    return to_milliseconds(at)


def to_milliseconds(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def place_in_time(at: datetime, later: datetime | None) -> datetime:
    """Before what the same person said next, whatever the clocks say."""
    return at if later is None else min(at, later - STEP)
