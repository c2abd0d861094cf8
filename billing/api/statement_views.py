"""The door of a person's statement."""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from billing.api.serializers import PeriodSerializer, StatementEntrySerializer
from billing.api.views import person
from billing.models import LedgerEntry
from billing.statement import as_csv, statement
from core.accept import accepted
from core.wire import read
from users.api.permissions import IsSelf
from users.callers import caller_of


class StatementViewSet(GenericViewSet[LedgerEntry]):
    permission_classes = (IsSelf,)
    ordering = ("id",)
    row_keys = ("id",)
    serializer_class = StatementEntrySerializer

    @extend_schema(
        summary="A person's statement",
        description="Every entry of the ledger, oldest first, with the balance after it. As CSV for a client that "
        "prefers `text/csv`: the same columns under a row of names. There an apostrophe stands before a text that a "
        "spreadsheet would take for a formula.",
        parameters=[PeriodSerializer],
        responses={
            (200, "application/json"): StatementEntrySerializer(many=True),
            (200, "text/csv"): OpenApiTypes.STR,
        },
    )
    def list(self, request: Request, user_id: int) -> HttpResponse:
        period = read(PeriodSerializer, request.query_params.dict())
        entries = statement(person(user_id), viewer=caller_of(request), **period)
        rows = entries.values(*StatementEntrySerializer.columns)
        as_csv = prefers_csv(request)
        is_whole = as_csv and not {"limit", "after"} & request.query_params.keys()  # a spreadsheet follows no Link
        page = list(rows) if is_whole else self.paginate_queryset(rows) or []
        answer = self.get_paginated_response(list(map(StatementEntrySerializer.shape, page)))
        return csv_answer(answer) if as_csv else with_vary(answer)


def csv_answer(page: Response) -> HttpResponse:
    headers = {"Content-Disposition": 'attachment; filename="statement.csv"', "Cache-Control": "private, no-cache"}
    if "Link" in page:
        headers["Link"] = page["Link"]
    text = as_csv([part.key for part in StatementEntrySerializer.parts], page.data)
    return with_vary(HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers))


def with_vary(answer: HttpResponse) -> HttpResponse:
    answer["Vary"] = "Accept"
    return answer


def prefers_csv(request: Request) -> bool:
    """Whether the client names `text/csv`, and wants it more than JSON: as much is not more."""
    wanted = accepted(request)
    csv, anything = wanted.get("text/csv", 0), wanted.get("*/*", 0)
    return csv > wanted.get("application/json", 0) and csv >= anything
