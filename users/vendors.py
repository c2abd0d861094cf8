"""Picks the implementation of a vendor's interface that the settings name."""

from functools import cache
from typing import Any

from django.utils.module_loading import import_string
from rest_framework.exceptions import APIException


class NotConfigured(APIException):
    status_code = 503
    default_code = "not_configured"


def vendor(backend: dict[str, Any], *, off: str) -> Any:
    """The one instance of `backend["BACKEND"]` with these options. Raises NotConfigured, saying `off`, for {}."""
    if not backend:
        raise NotConfigured(off)
    return _instance(backend["BACKEND"], tuple(backend["OPTIONS"].items()))


@cache
def _instance(path: str, options: tuple[tuple[str, str], ...]) -> Any:
    return import_string(path)(**dict(options))
