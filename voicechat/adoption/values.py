"""Old values as new ones. Years of a server that checked nothing, on SQLite without types, have left all kinds of them.

Each answers None for what cannot be read, and its caller says what stands there instead.
"""

import re
from contextlib import suppress
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

from core.wire import MICROS_PER_DOLLAR

FIRST, LAST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
MILLISECONDS_FROM = 100_000_000_000
"""A number of seconds since 1970 that is larger than this one is of milliseconds, as JavaScript counts them."""
JAVASCRIPT = re.compile(r"\w{3} (\w{3} \d{2} \d{4} \d{2}:\d{2}:\d{2}) GMT([+-]\d{4})")
"""`String(new Date())`: https://tc39.es/ecma262/#sec-todatestring"""
TRUE, FALSE = ("1", "t", "true", "y", "yes", "on"), ("0", "f", "false", "n", "no", "off", "")
MOST_DOLLARS = 1_000_000_000
MOST_DIGITS = 15
SURROGATES = re.compile("[\ud800-\udfff]")


def text(value: Any) -> str | None:
    """What every database keeps: without NUL and halves of letters."""
    if value is None:
        return None
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    return SURROGATES.sub("\ufffd", str(value).replace("\0", ""))


def truth(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    return True if word in TRUE else False if word in FALSE else None


def moment(value: Any) -> datetime | None:
    """A time as PostgreSQL has it, as SQLite's text, as a number since 1970, or as JavaScript or an e-mail writes it.

    One without a zone is UTC: the first back end ran there, and CURRENT_TIMESTAMP is.
    """
    found = value if isinstance(value, datetime) else read_moment(value)
    if found is None:
        return None
    if found.tzinfo is not UTC:
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return found if FIRST <= found < LAST else None


def read_moment(value: Any) -> datetime | None:
    words = (text(value) or "").strip()
    if words[4:5] == "-":  # nearly all
        with suppress(ValueError):
            return datetime.fromisoformat(words)
    with suppress(ValueError, OverflowError, OSError):
        number = float(words)
        return datetime.fromtimestamp(number / 1000 if abs(number) >= MILLISECONDS_FROM else number, UTC)
    with suppress(ValueError, OverflowError, TypeError):
        if found := JAVASCRIPT.match(words):
            return datetime.strptime(f"{found[1]} {found[2]}", "%b %d %Y %H:%M:%S %z")
        return parsedate_to_datetime(words)
    return None


def dollars(value: Any) -> Decimal | None:
    """Exactly as it is written: a float is what its shortest digits say, so that 12.34 is 12.34."""
    if value is None or isinstance(value, bool):
        return None
    written = repr(value) if isinstance(value, float) else (text(value) or "").strip().removeprefix("$")
    try:
        amount = Decimal(written)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < MOST_DOLLARS else None


def micros(amount: Decimal) -> int:
    """Whole micro-dollars; of two that are as near the even one."""
    return int((amount * MICROS_PER_DOLLAR).to_integral_value(ROUND_HALF_EVEN))


def digits(value: Any) -> int | None:
    """A telephone number as the first back end kept it: digits, of which nobody knows the country."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    word = (text(value) or "").strip().removeprefix("+")
    is_number = word.isascii() and word.isdigit() and not word.startswith("0") and len(word) <= MOST_DIGITS
    return int(word) if is_number else None
