"""A person's statement: every entry of their ledger, oldest first, as JSON and as CSV."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import chain, islice
from typing import Any, TypeVar

from django.db.models import OuterRef, QuerySet, Subquery

from billing.models import Account, LedgerEntry
from core.spreadsheets import as_csv, harmless
from core.wire import MICROS_PER_DOLLAR
from groups.models import Group
from users.callers import Caller
from users.models import User

T = TypeVar("T")

AT_ONCE = 1000
"""Entries that are held in memory at the same time, however many a statement has."""
WRITTEN = ("memo", "groupName")
"""What somebody wrote; amounts are numbers, though they may begin with a minus."""


def statement(
    user: User, *, viewer: Caller, begin: datetime | None = None, end: datetime | None = None
) -> QuerySet[LedgerEntry]:
    """The entries from `begin` on and before `end`, each with its `group_name`.

    A group that the viewer may not see, or that is gone, has no name here; the memo says what it was called then.
    """
    account = Account.objects.filter(user=user).values("pk")  # one value: the index of an account's entries serves it
    entries = LedgerEntry.objects.filter(account=Subquery(account)).order_by("id")
    if begin:
        entries = entries.filter(created_at__gte=begin)
    if end:
        entries = entries.filter(created_at__lt=end)
    name = Group.objects.visible_to(viewer).filter(pk=OuterRef("group_id")).values("name")
    return entries.annotate(group_name=Subquery(name))


def exact(micros: int) -> str:
    """Dollars to the last micro-dollar, with at least two decimals: -20600 is "-0.0206"."""
    whole, rest = divmod(abs(micros), MICROS_PER_DOLLAR)
    return f"{'-' if micros < 0 else ''}{whole}.{f'{rest:06}'.rstrip('0'):0<2}"


def in_pieces(rows: QuerySet[LedgerEntry, dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """All rows of a statement in lists, by a query each. Entries never change: pieces read one after another are whole.

    A cursor would not do: behind a pooler it is gone with its transaction.
    """
    piece = list(rows[:AT_ONCE])
    while piece:
        yield piece
        piece = list(rows.filter(pk__gt=piece[-1]["id"])[:AT_ONCE]) if len(piece) == AT_ONCE else []


def begun(pieces: Iterator[T]) -> Iterator[T]:
    """The same, with the first of them read: what is wrong is told before an answer has begun."""
    return chain(list(islice(pieces, 1)), pieces)


def statement_as_csv(keys: Collection[str], pieces: Iterable[Iterable[dict[str, Any]]]) -> Iterator[str]:
    """The entries under a row of their keys, a text for each piece."""
    return as_csv(keys, ((cells(keys, shape) for shape in shapes) for shapes in pieces))


def cells(keys: Collection[str], shape: dict[str, Any]) -> Iterator[Any]:
    return (harmless(shape[key]) if key in WRITTEN else shape[key] for key in keys)
