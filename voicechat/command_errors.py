"""What a command that fails says of it on stderr: where, and what kind of failure, but not its text.

PostgreSQL's errors quote the row that they are about (`DETAIL: Key (email)=(…) already exists`), other errors the value
that they met, and what a scheduler's command writes is kept by whoever collects it. Django's CommandError and
ImproperlyConfigured are our own words, written for whoever reads them. Where the database is not reached at all, that
and what to do is one sentence: whoever starts this for the first time meets it.
"""

import sys
import traceback
from types import TracebackType
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError

from voicechat.unreachable import sentence

OUR_WORDS = (CommandError, ImproperlyConfigured)
NAMES = ("sqlstate", "table_name", "column_name", "constraint_name")
"""What PostgreSQL says beside its text: https://www.postgresql.org/docs/current/errcodes-appendix.html"""


def install() -> None:
    sys.excepthook = tell
    sys.unraisablehook = lambda args: tell(args.exc_type, args.exc_value, args.exc_traceback)


def tell(kind: type[BaseException], error: BaseException | None, place: TracebackType | None) -> None:
    if isinstance(error, KeyboardInterrupt):
        print("Interrupted.", file=sys.stderr)
        return
    told = sentence(error) if error else None
    print(told or "\n".join(lines(error or kind())), file=sys.stderr)


def lines(error: BaseException) -> list[str]:
    """The exceptions that led to it first, as Python writes them."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    told = [*lines(before), "which led to"] if before else []
    frames = [line.rstrip() for line in traceback.format_tb(error.__traceback__)]
    return [*told, *frames, f"{type(error).__module__}.{type(error).__qualname__}{words_of(error)}"]


def words_of(error: BaseException) -> str:
    if isinstance(error, OUR_WORDS):
        return f": {error}"
    diagnosis: Any = getattr(error, "diag", None)
    names = {name: getattr(diagnosis, name, None) for name in NAMES} if diagnosis else {}
    known = ", ".join(f"{name} {value}" for name, value in names.items() if value)
    return f" ({known})" if known else " (its text is left out, for it may quote a row)"
