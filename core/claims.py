"""Rows that runs of a command work at, one by one: of two runs at once only one has each.

Whoever works at a row claims it first, in one statement, by putting off when it is due. What fails is due again at
once, behind all that are due as well: what always fails holds up nobody.
"""

from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from core.timestamps import DatabaseNow

CLAIM = timedelta(minutes=2)
"""Longer than a run: what one that was killed has claimed is due again after it."""


def try_at() -> "models.DateTimeField[Any, Any]":
    """When a row is due: as soon as it is there."""
    help_text = (
        "When a run may try it (again), so long as there is something to do: what has waited longest comes first."
    )
    return models.DateTimeField(default=timezone.now, db_default=DatabaseNow(), help_text=help_text)


def claim(row: Any) -> bool:
    """Whether no other run has it."""
    unclaimed = type(row).objects.filter(pk=row.pk, try_at=row.try_at)
    row.try_at = timezone.now() + CLAIM
    return bool(unclaimed.update(try_at=row.try_at))


def give_back(row: Any) -> None:
    """Lets the next run have it."""
    type(row).objects.filter(pk=row.pk, try_at=row.try_at).update(try_at=timezone.now())
