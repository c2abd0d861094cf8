"""Picks the implementation of a vendor's interface that the settings name, and lets failures be that stop nothing."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.utils.module_loading import import_string
from rest_framework.exceptions import APIException

logger = logging.getLogger(__name__)


class NotConfigured(APIException):
    status_code = 503
    default_code = "not_configured"


def vendor(backend: dict[str, Any], *, off: str = "") -> Any:
    """The one instance of `backend["BACKEND"]` with these options. Raises NotConfigured, saying `off`, for {}."""
    if not backend:
        raise NotConfigured(off)
    return _instance(backend["BACKEND"], tuple(backend["OPTIONS"].items()))


@cache
def _instance(path: str, options: tuple[tuple[str, str], ...]) -> Any:
    return import_string(path)(**dict(options))


@contextmanager
def best_effort(what: str) -> Iterator[None]:
    """Where a vendor fails inside, what was to be done ("tell group 7") is logged as not done, and work goes on."""
    try:
        yield
    except APIException as error:
        logger.warning("Could not %s: %s", what, type(error).__name__)
