"""Each list as CSV: what is found, in its order, with the columns that are shown."""

from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from itertools import islice
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict, StreamingHttpResponse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

from core.legible import legible
from core.spreadsheets import as_csv, harmless

ASKED = "csv"
"""What an address says where a list is wanted as CSV."""
MOST = 100_000
AT_ONCE = 1000
TOO_MANY = f"There is more: these are the first {MOST:,}. Narrow the list by its filters."


def list_as_csv(page: admin.ModelAdmin[Any], request: HttpRequest) -> StreamingHttpResponse:
    """May raise what a list raises of an address that somebody typed."""
    shown = page.get_changelist_instance(request)
    columns = [name for name in shown.list_display if name != "action_checkbox"]
    head = [str(label_for_field(name, page.model, model_admin=page)) for name in columns]
    rows = shown.queryset
    keys = list(rows.values_list("pk", flat=True)[: MOST + 1])
    pieces = as_csv(head, in_pieces(page, rows, columns, keys))
    name = f"{page.opts.model_name}-{datetime.now(UTC):%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8", headers=headers)


def without(query: QueryDict, name: str) -> QueryDict:
    rest = query.copy()
    del rest[name]
    return rest


def in_pieces(
    page: admin.ModelAdmin[Any], rows: QuerySet[Any], columns: list[Any], keys: list[Any]
) -> Iterator[list[list[Any]]]:
    """By keys, for behind a pooler a cursor is gone with its transaction."""
    waiting = iter(keys[:MOST])
    while part := list(islice(waiting, AT_ONCE)):
        found = {row.pk: row for row in rows.filter(pk__in=part)}
        yield [[cell(page, found[pk], name) for name in columns] for pk in part if pk in found]
    if len(keys) > MOST:
        yield [[TOO_MANY]]


def cell(page: admin.ModelAdmin[Any], row: Any, name: Any) -> Any:
    """Times in UTC, numbers as they are, and of what is written on a page its words."""
    try:
        _, _, value = lookup_field(name, row, page)
    except ObjectDoesNotExist:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    if value is None or isinstance(value, bool | int):
        return "" if value is None else value
    text = unescape(strip_tags(value)) if isinstance(value, SafeString) else str(value)
    return harmless(legible(text)) if text else ""
