"""Keyset paging by `?limit=` and `?after=`: the body stays an array, the next page is in the Link header (RFC 8288)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import QueryDict
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from core.wire import LARGEST_ID, MOST_LISTED, number_in

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
BY_ID, BY_TIME = "^[0-9]{1,18}$", r"^[0-9]{1,17}\.[0-9]{1,18}$"


class KeysetPagination(BasePagination):
    """Pages a queryset of `values()` rows in the order of the view.

    The view's `ordering` is ("id",) or ("-created_at", "-id"), and `row_keys` names their columns in a row. Without
    `limit` the list ends after MOST_LISTED entries. Only a read heeds the parameters: a list that a write answers with
    begins at its beginning.
    """

    next_link: str | None = None

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        newest_first = view.ordering[0].startswith("-")
        query = request._request.GET.copy() if request.method in SAFE_METHODS else QueryDict(mutable=True)
        if (after := query.get("after")) is not None:
            queryset = queryset.filter(newer_bound(after) if newest_first else Q(pk__gt=whole("after", after)))
        limit = query.get("limit")
        size = MOST_LISTED if limit is None else whole("limit", limit, lowest=1, highest=100)
        rows = list(queryset[: size + 1])
        if len(rows) > size:
            query["after"] = cursor(rows[size - 1], view.row_keys)
            self.next_link = f"{settings.PUBLIC_URL}{request.path}?{query.urlencode()}"
        return rows[:size]

    def get_paginated_response(self, data: Any) -> Response:
        headers = {"Link": f'<{self.next_link}>; rel="next"'} if self.next_link else None
        return Response(data, headers=headers)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": "limit",
                "in": "query",
                "description": "At most this many; the `Link` header names the next page. Without it, "
                f"{MOST_LISTED:,}.",
                "schema": {"type": "integer", "minimum": 1, "maximum": 100},
            },
            {
                "name": "after",
                "in": "query",
                "description": "Where to go on: take it from the `Link` header.",
                "schema": {"type": "string", "pattern": BY_TIME if view.ordering[0].startswith("-") else BY_ID},
            },
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return schema


def whole(name: str, text: str, lowest: int = 0, highest: int = LARGEST_ID) -> int:
    number = number_in(text)
    if number is not None and lowest <= number <= highest:
        return number
    hint = f"a whole number from {lowest} to {highest}" if name == "limit" else "the one from the Link header"
    raise ValidationError({name: f"Use {hint}."})


def cursor(row: dict[str, Any], keys: Sequence[str]) -> str:
    """The place of a row in its list: "12", or for a list by time "1764000000123456.12" (microseconds, id)."""
    *times, pk = (row[key] for key in keys)
    return ".".join([str((time - EPOCH) // MICROSECOND) for time in times] + [str(pk)])


def newer_bound(after: str) -> Q:
    micros, _, pk = after.partition(".")
    try:
        time = EPOCH + timedelta(microseconds=whole("after", micros))
    except OverflowError:
        raise ValidationError({"after": "Use the one from the Link header."}) from None
    return Q(created_at__lt=time) | Q(created_at=time, pk__lt=whole("after", pk))
