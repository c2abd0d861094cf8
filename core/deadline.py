"""One deadline for all the vendor calls of a request: a client waits for an answer, not for each vendor in turn."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

SECONDS = 20.0

_ends: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def deadline(seconds: float | None = None) -> Iterator[None]:
    """Inside, in this thread, vendor calls share this time (20 seconds), or what is left of an outer deadline's.

    Afterwards all is as it was: what else this thread does is not in that hurry.
    """
    outer = _ends.get()
    ends = monotonic() + (SECONDS if seconds is None else seconds)
    token = _ends.set(ends if outer is None else min(ends, outer))
    try:
        yield
    finally:
        _ends.reset(token)


def is_over() -> bool:
    """Whether no vendor call may begin any more. Work on many rows stops there, and leaves the rest to the next run."""
    ends = _ends.get()
    return ends is not None and monotonic() >= ends


def time_left(most: float) -> float:
    """How many seconds the next vendor call may take, at most `most`. Raises TimeoutError when none is left."""
    ends = _ends.get()
    left = most if ends is None else min(most, ends - monotonic())
    if left <= 0:
        raise TimeoutError("The request's deadline for vendor calls has passed.")
    return left
