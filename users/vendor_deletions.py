"""Telling vendors to delete what they keep of somebody who is deleted here.

What is to be told is a row, stored with the deletion, and so is the job that tells it. Where the vendor fails for
hours, `manage.py reconcile_deletions` tells it again, less and less often, until it is so; then the row goes, too. Safe
to run twice at once: whoever tells claims the row first, in one statement. No vendor is asked inside a transaction.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django_tasks import task

from core.attempts import Attempts
from core.jobs.queue import enqueue_each
from users.models import VendorDeletion

WAITS = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 6 * 60, 24 * 60)]
"""After each try that failed; after the last of them it is a day each time."""
MOST_AT_ONCE = 500

tellers: dict[VendorDeletion.Kind, Callable[[str], None]] = {}
"""What deletes a thing at its vendor, by the vendor's id of it. One that is not there is as good as deleted. The floor
that knows the vendor puts it here."""


@dataclass(slots=True)
class Summary:
    told: int = 0
    failed: int = 0


def delete_at_vendor(kind: VendorDeletion.Kind, names: Iterable[str], *, person_id: int | None = None) -> None:
    """Stores that these are to be deleted, and the jobs that tell the vendor: by the row, not by who it is about.

    `person_id` is whose end it belongs to.
    """
    wanted = sorted(set(names) - {""})
    rows = [VendorDeletion(kind=kind, name=name, person_id=person_id) for name in wanted]
    known: Any = {"update_conflicts": True, "unique_fields": ("kind", "name"), "update_fields": ("person_id",)}
    VendorDeletion.objects.bulk_create(rows, **(known if person_id else {"ignore_conflicts": True}))
    stored = VendorDeletion.objects.filter(kind=kind, name__in=wanted).order_by("pk")
    enqueue_each(tell_vendor, stored.values_list("pk"))


@task
def tell_vendor(pk: int) -> None:
    """Tells a vendor what row `pk` says, where it is still to be told. Raises where the vendor fails."""
    for row in VendorDeletion.objects.filter(pk=pk):
        if claim(row, now=timezone.now()):
            tell_one(row)


def reconcile_deletions(*, now: datetime) -> Summary:
    """Tells what is due. Where one vendor has failed to answer three times in a row, its rest is for the next run."""
    summary = Summary()
    due = VendorDeletion.objects.filter(try_at__lte=now).order_by("try_at", "pk")
    for kind in VendorDeletion.Kind:
        tell(due.filter(kind=kind)[:MOST_AT_ONCE], summary, now=now)
    return summary


def tell(rows: Iterable[VendorDeletion], summary: Summary, *, now: datetime) -> None:
    attempts = Attempts()
    for row in rows:
        if attempts.is_over:
            break
        with attempts.one(f"delete at a vendor what row {row.pk} says"):
            summary.told += claim(row, now=now) and tell_one(row)
    summary.failed += attempts.failed


def claim(row: VendorDeletion, *, now: datetime) -> bool:
    """Whether no other run has it. It is due again later, whatever becomes of whoever tells it now."""
    wait = WAITS[min(row.tries, len(WAITS) - 1)]
    unclaimed = VendorDeletion.objects.filter(pk=row.pk, tries=row.tries)
    return bool(unclaimed.update(tries=row.tries + 1, try_at=now + wait))


def tell_one(row: VendorDeletion) -> bool:
    try:
        tellers[VendorDeletion.Kind(row.kind)](row.name)
    except Exception as error:
        VendorDeletion.objects.filter(pk=row.pk).update(fault=type(error).__name__[:64])
        raise
    row.delete()
    return True
