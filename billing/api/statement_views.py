"""The door of a person's statement."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from billing.api.serializers import PeriodSerializer, StatementEntrySerializer
from billing.api.views import person
from billing.models import LedgerEntry
from billing.statement import begun, in_pieces, statement, statement_as_csv
from core.accept import accepted
from core.wire import read
from users.api.permissions import IsSelf
from users.callers import caller_of

Answer = TypeVar("Answer", bound=HttpResponseBase)


class StatementViewSet(GenericViewSet[LedgerEntry]):
    permission_classes = (IsSelf,)
    ordering = ("id",)
    row_keys = ("id",)
    serializer_class = StatementEntrySerializer

    @extend_schema(
        summary="A person's statement",
        description="Every entry of the ledger, oldest first, with the balance after it; `from` must be before `to`, "
        "or it is 400. As CSV for a client that prefers `text/csv`: the same columns under a row of names. There an "
        "apostrophe stands before a text that a spreadsheet would take for a formula.",
        parameters=[PeriodSerializer],
        responses={
            (200, "application/json"): StatementEntrySerializer(many=True),
            (200, "text/csv"): OpenApiTypes.STR,
        },
    )
    def list(self, request: Request, user_id: int) -> HttpResponseBase:
        period = read(PeriodSerializer, request.query_params.dict())
        entries = statement(person(user_id), viewer=caller_of(request), **period)
        rows = entries.values(*StatementEntrySerializer.columns)
        if not prefers_csv(request):
            page = self.paginate_queryset(rows) or []
            return with_vary(self.get_paginated_response(list(map(StatementEntrySerializer.shape, page))))
        if {"limit", "after"} & request.query_params.keys():
            answer = self.get_paginated_response(self.paginate_queryset(rows) or [])
            return csv_answer([answer.data], link=answer.get("Link"))
        return csv_answer(begun(in_pieces(rows)))  # whole, for a spreadsheet follows no Link


def csv_answer(pieces: Iterable[list[dict[str, Any]]], link: str | None = None) -> StreamingHttpResponse:
    """Written while it is read: what it takes of memory does not grow with the statement."""
    headers = {"Content-Disposition": 'attachment; filename="statement.csv"', "Cache-Control": "private, no-cache"}
    if link:
        headers["Link"] = link
    keys = [part.key for part in StatementEntrySerializer.parts]
    shapes = (map(StatementEntrySerializer.shape, piece) for piece in pieces)
    texts = statement_as_csv(keys, shapes)
    return with_vary(StreamingHttpResponse(texts, content_type="text/csv; charset=utf-8", headers=headers))


def with_vary(answer: Answer) -> Answer:
    answer["Vary"] = "Accept"
    return answer


def prefers_csv(request: Request) -> bool:
    """Whether the client names `text/csv`, and wants it more than JSON: as much is not more."""
    wanted = accepted(request)
    csv, anything = wanted.get("text/csv", 0), wanted.get("*/*", 0)
    return csv > wanted.get("application/json", 0) and csv >= anything
