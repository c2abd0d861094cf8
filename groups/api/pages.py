"""Pages of what hangs on a group or a person."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.rows import RowSerializer
from core.shown import shows


class PagesViewSet(GenericViewSet[Any]):
    row_keys: tuple[str, ...]

    def shown(self, response: Response, group_id: int) -> Response:
        """A list of a group's rows, each of which shows a person. It says so where it is the whole of it."""
        if "Link" not in response:
            people = [row["userId"] for row in response.data]
            shows(self, self.request, group_id, groups=[group_id], people=people)
        return response

    def page_of(
        self,
        rows: QuerySet[Any],
        serializer: type[RowSerializer],
        *,
        owners: QuerySet[Any],
        owner_id: int,
        status: int = 200,
    ) -> Response:
        """A page of the rows as the serializer writes them; 404 where what they hang on is not: no row tells that."""
        columns = dict.fromkeys((*self.row_keys, *serializer.columns))
        page = self.paginate_queryset(rows.values(*columns))
        if not page:
            get_object_or_404(owners.only("pk"), pk=owner_id)
        response = self.get_paginated_response(list(map(serializer.shape, page or [])))
        response.status_code = status
        return response
