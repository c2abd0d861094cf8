"""How a person is written on the operators' pages, everywhere: by id and email, which are theirs alone, and then by the
name that they have given themself, which may be anybody's.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.legible import legible


def written(user_id: int, email: str | None, name: str) -> SafeString:
    """`#7 rose@example.com Rose`, the last two isolated from what stands around them."""
    return format_html("#{} <bdi>{}</bdi> <bdi>{}</bdi>", user_id, legible(email or ""), legible(name))


def person_link(user_id: int | None, name: str | None, email: str | None) -> str | None:
    """To the person's page. `name` is null where nobody has this id any more."""
    if user_id is None:
        return None
    if name is None:
        return f"deleted person {user_id}"
    page = reverse("admin:users_user_change", args=[user_id])
    return format_html('<a href="{}">{}</a>', page, written(user_id, email, name))


def legible_column(name: str, *, is_sorted: bool = True) -> Callable[[Any, Any], SafeString]:
    """A page's column: a field that holds what somebody has written, isolated from its neighbours.

    A million texts without an index are not sorted by.
    """

    @admin.display(description=name.replace("_", " "), ordering=name if is_sorted else None)
    def column(page: Any, row: Any) -> SafeString:
        return format_html("<bdi>{}</bdi>", legible(getattr(row, name)))

    return column
