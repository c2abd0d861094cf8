"""The log: one JSON object a line, and nothing in it that a person sent.

Our own messages are written out in full, so what is put into them must be no secret: ids, codes, names of classes. Of
other people's code nothing is known: their messages may quote a path, a header or a row, so only the words that stand
in the code itself are kept. Of an exception the class and the place are logged, never its text: PostgreSQL's, for
one, quotes the row.
"""

import json
import logging
import re
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any

import orjson

OUR_LOGGERS = ("voicechat", "core", "voice", "billing", "groups", "users", "uploads")
ROOT = f"{Path(__file__).resolve().parent.parent}/"
MOST_EXCEPTIONS, MOST_FRAMES = 5, 20
LARGEST_NUMBER = 9_999_999  # a count, a status, a process; a phone number is longer
OMITTED = "***"
QUOTING = re.compile(r"""[:="'(\[{\d]""")  # where a finished sentence begins to quote something

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being served."""


class JSONFormatter(logging.Formatter):
    """`extra={"fields": {...}}` adds members to the line. Never fails: logging would print what it was given."""

    def __init__(self, trusted: tuple[str, ...] = OUR_LOGGERS) -> None:
        super().__init__()
        self.trusted = trusted

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": message(record, trusted=record.name.partition(".")[0] in self.trusted),
            "request_id": request_id.get(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1]:
            line["exceptions"] = list(exceptions(record.exc_info[1]))
        try:
            return orjson.dumps(line).decode("ascii")
        except (TypeError, ValueError):  # beyond ASCII there are characters that some readers take for a line's end
            return json.dumps(line, default=lambda value: type(value).__name__)


def message(record: logging.LogRecord, *, trusted: bool) -> str:
    text = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    if not record.args:
        return text if trusted else QUOTING.split(text, maxsplit=1)[0].rstrip()
    try:
        return text % tuple(shown(arg, trusted=trusted) for arg in record.args)
    except (TypeError, ValueError):
        return text


def shown(arg: Any, *, trusted: bool) -> Any:
    if isinstance(arg, BaseException):
        return type(arg).__name__
    return arg if trusted or (isinstance(arg, int | float) and abs(arg) <= LARGEST_NUMBER) else OMITTED


def exceptions(error: BaseException | None) -> Iterator[dict[str, Any]]:
    """The exception and those that led to it, each with its innermost frames, the innermost last."""
    for _ in range(MOST_EXCEPTIONS):
        if error is None:
            return
        yield {"type": f"{type(error).__module__}.{type(error).__qualname__}", "frames": frames(error.__traceback__)}
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def frames(traceback: TracebackType | None) -> list[str]:
    found = [f"{place(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}" for frame, line in walk_tb(traceback)]
    return found[-MOST_FRAMES:]


def place(path: str) -> str:
    return path.removeprefix(ROOT).rpartition("site-packages/")[2]
