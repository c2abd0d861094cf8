"""A page's write as one transaction, that is tried again as a whole."""

from collections.abc import Callable
from itertools import count
from typing import TypeVar

from django.contrib.messages.storage import default_storage
from django.http import HttpRequest

from core.transactions import atomic_and_retried

R = TypeVar("R")


def as_one_write(request: HttpRequest, view: Callable[[], R]) -> R:
    """The answer of a page that writes and asks no vendor; where PostgreSQL breaks it off, it is tried again.

    What a try that came to nothing has told the operator is told no more.
    """
    tries = count()

    @atomic_and_retried
    def write() -> R:
        if next(tries) and hasattr(request, "_messages"):
            request._messages = default_storage(request)
        return view()

    return write()
