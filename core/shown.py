"""What an answer shows: the rows of which it is made.

A view says so of an answer that clients ask for again and again. `voicechat.front` then gives the same one to whoever
may read it, for as long as the database says that none of these rows has changed.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from rest_framework.request import Request

KEY = "voicechat.shown"
"""Where in a request's environ it stands, for whoever called the application."""
MOST_PEOPLE = 2_000
"""An answer that shows more of them is asked for anew each time."""


class Shown(NamedTuple):
    view: type
    """The view set, and"""
    action: str
    """its action: they say who may read it."""
    route: str
    """The pattern of the path, for the log."""
    of: int
    """The group or the person of the path."""
    is_whole: bool | None
    """Of a person: whether the caller was shown all. None where all who may read it are shown the same."""
    groups: tuple[int, ...]
    people: tuple[int, ...]
    parts_of: int | None
    """A person all of whose parts in groups it shows."""


def shows(
    view: Any,
    request: Request,
    of: int,
    *,
    groups: Iterable[int] = (),
    people: Iterable[int] = (),
    parts_of: int | None = None,
    is_whole: bool | None = None,
) -> None:
    """Says it of the answer to this request; the rows in any order, and as often as they occur.

    Not of a page of a longer list: whether there is a next one hangs on rows that it does not show.
    """
    rows = (tuple(sorted(set(groups))), tuple(sorted(set(people))))
    match: Any = request.resolver_match
    if len(rows[1]) <= MOST_PEOPLE:
        request.META[KEY] = Shown(type(view), view.action, match.route, of, is_whole, *rows, parts_of)
