"""What Twilio writes into the fields of its webhooks."""

import re

from core.wire import LARGEST_ID

SID = re.compile("[A-Za-z0-9_]{1,64}")


def number(text: str) -> int | None:
    """A whole number that fits a column, else None."""
    is_number = text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= LARGEST_ID
    return int(text) if is_number else None
