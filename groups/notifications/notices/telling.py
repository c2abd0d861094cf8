"""Storing what people are to be told, in the transaction of what caused it: one row for each way, and a job for each.

A way that fails repeats no other. What is told once of a thing is never told again, whoever asks for it how often.
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from core.jobs.queue import enqueue_each
from groups.notifications.models import Notice
from groups.notifications.notices.delivering import deliver
from groups.notifications.notices.ways import ways_of

AT_ONCE = 500


def tell(people: Iterable[int], kind: Notice.Kind, about: str, *, group_id: int | None = None, **facts: Any) -> None:
    """Stores that each of these is told of this, where they have not been. `about` names what it is about, `facts` are
    what the words are made of: ids, cents, seconds, and no names."""
    ordered, ways = sorted(set(people)), ways_of(kind)
    for first in range(0, len(ordered), AT_ONCE):
        store(ordered[first : first + AT_ONCE], ways, {"kind": kind, "about": about}, group_id, facts)


@transaction.atomic(savepoint=False)
def store(
    people: list[int], ways: list[Notice.Way], named: dict[str, str], group_id: int | None, facts: dict[str, Any]
) -> None:
    known = set(Notice.objects.filter(user__in=people, **named).values_list("user_id", "way"))
    rows = [
        Notice(user_id=user_id, way=way, group_id=group_id, facts=facts, **named)
        for user_id in people
        for way in ways
        if (user_id, way) not in known
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    if rows:
        new = Notice.objects.due().filter(user__in={row.user_id for row in rows}, **named).order_by("pk")
        enqueue_each(deliver, new.values_list("pk"))
