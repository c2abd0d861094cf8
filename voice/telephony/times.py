"""Times as Twilio writes them. https://www.rfc-editor.org/rfc/rfc2822#section-3.3"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any


def read_iso_time(text: Any) -> datetime | None:
    """ "2026-11-29T06:00:00.123456Z", as real-time transcriptions tell it; also what `read_time` reads."""
    try:
        time = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return read_time(text)
    try:
        return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        return None


def read_time(text: Any) -> datetime | None:
    """ "Sun, 29 Nov 2026 06:00:00 +0000"; None for what is no such time."""
    if not isinstance(text, str):
        return None
    try:
        time = parsedate_to_datetime(text)
        return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except (ArithmeticError, IndexError, TypeError, ValueError):  # the library raises each of them for some text
        return None
