"""One deadline for all the vendor calls of a request: a client waits for an answer, not for each vendor in turn."""

from contextvars import ContextVar
from time import monotonic

SECONDS = 20.0

_ends: ContextVar[float | None] = ContextVar("deadline", default=None)


def start_deadline(seconds: float | None = None) -> None:
    """From now on, in this thread, vendor calls share this time (20 seconds). Called at the start of each request."""
    _ends.set(monotonic() + (SECONDS if seconds is None else seconds))


def time_left(most: float) -> float:
    """How many seconds the next vendor call may take, at most `most`. Raises TimeoutError when none is left."""
    ends = _ends.get()
    left = most if ends is None else min(most, ends - monotonic())
    if left <= 0:
        raise TimeoutError("The request's deadline for vendor calls has passed.")
    return left
