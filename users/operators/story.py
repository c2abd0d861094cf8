"""One person's whole story on one page: of each kind of rows the newest, with a link to all of them.

An upper app adds what it keeps: `@in_story`. A part is shown to whoever may look at its rows, and is asked for by the
person's id: of who is gone, what has stayed is found.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_permission_codename
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from core.legible import legible

SHOWN = 5
SECTIONS = (
    "Groups",
    "Calls",
    "Money",
    "What they were told",
    "Telephones and sign-in",
    "Exports and deletions",
    "Done",
)
"""In the order in which they stand on the page."""


@dataclass(frozen=True, slots=True)
class Part:
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    is_more: bool
    address: str
    """Where all of them are listed; empty where no page does."""


parts: list[tuple[str, type[Model], Callable[[int], Part]]] = []


def in_story(section: str, model: type[Model]) -> Callable[[Callable[[int], Part]], Callable[[int], Part]]:
    """Adds a part to one of the sections, for operators who may look at rows of this model."""

    def add(part: Callable[[int], Part]) -> Callable[[int], Part]:
        parts.append((section, model, part))
        return part

    return add


def newest(
    title: str, rows: QuerySet[Any], columns: Mapping[str, Callable[[Any], Any]], address: str = "", by: str = "-pk"
) -> Part:
    """The newest of these rows, in one query; columns by their headings."""
    found = list(rows.order_by(by)[: SHOWN + 1])
    cells = [tuple(cell(row) for cell in columns.values()) for row in found[:SHOWN]]
    return Part(title, tuple(columns), cells, is_more=len(found) > SHOWN, address=address)


def story_of(person_id: int, request: HttpRequest) -> list[tuple[str, list[Part], list[str]]]:
    """What this operator may look at, by sections, each with the titles of its parts that are empty."""
    told = [(section, [part(person_id) for part in of_section(section, request)]) for section in SECTIONS]
    return [(section, shown, [part.title for part in shown if not part.rows]) for section, shown in told if shown]


def of_section(section: str, request: HttpRequest) -> Iterable[Callable[[int], Part]]:
    return [part for name, model, part in parts if name == section and may_view(request, model)]


def may_view(request: HttpRequest, model: type[Model]) -> bool:
    """As on the model's own page: who may change may look."""
    rights = [get_permission_codename(action, model._meta) for action in ("view", "change")]
    return any(request.user.has_perm(f"{model._meta.app_label}.{right}") for right in rights)


def bdi(text: str | None) -> str:
    """What somebody has written, isolated from what stands around it."""
    return format_html("<bdi>{}</bdi>", legible(text)) if text else ""


def listed(model: type[Model], query: str) -> str:
    """The address of the model's list, narrowed."""
    return f"{reverse(f'admin:{model._meta.app_label}_{model._meta.model_name}_changelist')}?{query}"


def linked(row: Model, words: Any) -> str:
    """Words that lead to the row's own page."""
    page = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', page, words)


def on_page(person_id: int, prefix: str) -> str:
    """The address of a list on the person's own page, which has all of it, page by page."""
    return f"{reverse('admin:users_user_change', args=[person_id])}#{prefix}-group"
