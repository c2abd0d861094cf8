"""What was done under an Idempotency-Key, for a day, so that a request whose answer was lost does nothing twice.

A key is reserved before the work, in a transaction of its own, and its answer is kept with the work: the status, and
what the answer is made anew from. Who dies in between leaves a reservation that ends by itself.
https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from rest_framework.exceptions import APIException

from users.models import KeptAnswer

LEASE = timedelta(minutes=1)
"""Longer than any request is at work."""
KEPT_FOR = timedelta(days=1)


class KeyReused(APIException):
    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key came with another body. Use a new key for what is new."


class RequestInProgress(APIException):
    status_code = 409
    default_code = "request_in_progress"
    default_detail = "The first request with this Idempotency-Key is still at work. Ask again in a moment."
    wait = 2


@dataclass(frozen=True, slots=True)
class Reservation:
    """A key that is ours to work under, until a moment that nobody else has."""

    name: str
    until: datetime


@transaction.atomic
def reserve(name: str, *, body: str, user_id: int | None, now: datetime) -> Reservation | KeptAnswer:
    """The key for whoever comes first; what was answered under it for whoever comes later.

    Raises KeyReused, and RequestInProgress while the first is at work.
    """
    fields = {"body": body, "user_id": user_id, "until": now + LEASE}
    kept, is_new = KeptAnswer.objects.get_or_create(pk=name, defaults=fields)
    if is_new:
        return Reservation(name, kept.until)
    if kept.until <= now:
        over = KeptAnswer.objects.filter(pk=name, until=kept.until)
        if over.update(status=None, made=None, **fields):
            return Reservation(name, now + LEASE)
        raise RequestInProgress
    if kept.body != body:
        raise KeyReused
    if kept.status is None:
        raise RequestInProgress
    return kept


def keep(reserved: Reservation, *, status: int, made: Any, user_id: int | None, now: datetime) -> None:
    """Keeps what was answered. One whose reservation has ended meanwhile keeps nothing."""
    rows = KeptAnswer.objects.filter(pk=reserved.name, until=reserved.until)
    rows.update(status=status, made=made, user_id=user_id, until=now + KEPT_FOR)


def free(reserved: Reservation) -> None:
    """Nothing was done: the key may be used again, with whatever body."""
    KeptAnswer.objects.filter(pk=reserved.name, until=reserved.until).delete()


def is_kept(name: str, *, now: datetime) -> bool:
    return KeptAnswer.objects.filter(pk=name, status__isnull=False, until__gt=now).exists()


def old_answers(now: datetime) -> QuerySet[KeptAnswer]:
    """What is older than a day."""
    return KeptAnswer.objects.filter(until__lte=now)
