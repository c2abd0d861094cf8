"""Picks the implementation of a vendor's interface that the settings name, and lets failures be that stop nothing."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from http import HTTPStatus
from time import perf_counter
from typing import Any

from django.utils.module_loading import import_string
from rest_framework.exceptions import APIException

from core.metrics.counted import counted
from core.metrics.families import VENDOR_CALLS, VENDOR_SECONDS

logger = logging.getLogger(__name__)

LOCAL = frozenset(
    {
        *("access_token", "answer", "is_signed", "signature", "serves", "name_of", "construct_event"),
        *("event_from_payload", "payments_since", "refunds_since", "disputes_since"),
    }
)
"""What crosses no network, and what does so only as its lists are read."""


class NotConfigured(APIException):
    status_code = 503
    default_code = "not_configured"


def vendor(backend: dict[str, Any], *, off: str = "") -> Any:
    """The one instance of `backend["BACKEND"]` with these options. Raises NotConfigured, saying `off`, for {}."""
    if not backend:
        raise NotConfigured(off)
    found = _instance(backend["BACKEND"], tuple(backend["OPTIONS"].items()))
    return Timed(found) if counted.is_on else found


@cache
def _instance(path: str, options: tuple[tuple[str, str], ...]) -> Any:
    return import_string(path)(**dict(options))


class Timed:
    """An implementation of a vendor's interface whose calls of the vendor are counted and timed."""

    def __init__(self, real: Any) -> None:
        self._real = real

    @property  # type: ignore[misc]  # as `unittest.mock` does: `isinstance` looks there
    def __class__(self) -> type:
        return type(self._real)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        return timed(type(self._real).__name__, name, found) if callable(found) and name not in LOCAL else found


def timed(vendor: str, operation: str, ask: Callable[..., Any]) -> Callable[..., Any]:
    """A refusal is the vendor's answer: a card that the bank does not take, a number that is none."""

    @wraps(ask)
    def asked(*args: Any, **kwargs: Any) -> Any:
        begun, outcome = perf_counter(), "failed"
        try:
            answer, outcome = ask(*args, **kwargs), "ok"
            return answer
        except APIException as error:
            outcome = "refused" if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR else "failed"
            raise
        finally:
            counted.count(VENDOR_CALLS, vendor, operation, outcome)
            counted.time(perf_counter() - begun, VENDOR_SECONDS, vendor, operation)

    return asked


@contextmanager
def best_effort(what: str) -> Iterator[None]:
    """Where a vendor fails inside, what was to be done ("tell group 7") is logged as not done, and work goes on."""
    try:
        yield
    except APIException as error:
        logger.warning("Could not %s: %s", what, type(error).__name__)
