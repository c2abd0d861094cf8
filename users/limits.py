"""How much one person may, where it protects money or other people.

Counted in the database, for all processes together, and by what cannot be shed: a person's sign-in (its issuer and
subject), else their email, else an address. Who deletes their account and signs up again finds their count as it was.
Of all that only a keyed hash is kept, and it is pruned once nothing is counted any more.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac
from rest_framework.request import Request

from core.addresses import client_address
from users.callers import Identity, Newcomer
from users.models import LimitCount, User

SALT = "users.limits"


@dataclass(frozen=True, slots=True)
class Place:
    """One of a limit's places, taken until a moment (seconds since 1970)."""

    limit: str
    who: str
    until: float


@dataclass(frozen=True, slots=True)
class Full:
    """All places of a limit are taken."""

    wait: float
    """Seconds until one is free."""


def keyed(kind: str, *parts: str) -> str:
    """What stands for somebody: the same for the same words, and nothing that leads back to them without SECRET_KEY."""
    return salted_hmac(SALT, "\x00".join((kind, *parts)), algorithm="sha256").hexdigest()


def of_sign_in(issuer: str, subject: str) -> str:
    return keyed("sign-in", issuer, subject)


def of_person(user: User) -> str:
    """By the person's sign-in; by their email where they have none yet, as everybody in open mode."""
    if user.oidc_issuer and user.oidc_subject:
        return of_sign_in(user.oidc_issuer, user.oidc_subject)
    return keyed("email", user.email.lower())


def of_caller(request: Request) -> str:
    """Of whoever sends this: by their sign-in, whether we know them yet or not; by the address in open mode."""
    identity = request.user.identity if isinstance(request.user, Newcomer) else request.auth
    if isinstance(identity, Identity):
        return of_sign_in(identity.issuer, identity.subject)
    if isinstance(request.user, User):
        return of_person(request.user)
    return keyed("address", client_address(request._request))


@transaction.atomic
def take_place(limit: str, who: str, places: int, seconds: int) -> Place | Full:
    """Takes one of the places that `who` has for so many seconds, under the lock of their row.

    In any stretch of that length no more are taken than there are, however many ask at the same moment.
    """
    row = locked(limit, who)
    now = time.time()
    taken = [until for until in row.taken if until > now]
    if len(taken) >= places:
        return Full(sorted(taken)[-places] - now)
    place = Place(limit, who, round(now + seconds, 6))  # given back by that: no two are taken in one microsecond
    keep(row, [*taken, place.until])
    return place


def is_full(limit: str, who: str, places: int) -> bool:
    """Whether no place is left at this moment; takes none."""
    row = LimitCount.objects.filter(limit=limit, who=who).first()
    now = time.time()
    return row is not None and sum(until > now for until in row.taken) >= places


@transaction.atomic
def give_back(place: Place) -> None:
    """For what, in the end, counts for nothing."""
    row = locked(place.limit, place.who)
    if place.until in row.taken:
        row.taken.remove(place.until)
        keep(row, row.taken)


def take_places(limit: str, whos: Iterable[str], places: int, seconds: int) -> list[Place] | Full:
    """One for each of `whos`, in their order; none where one of them has none left. Who has found one full takes none
    of the others, not even for a moment: somebody else might find those full for that."""
    taken: list[Place] = []
    for who in whos:
        answer = take_place(limit, who, places, seconds)
        if isinstance(answer, Full):
            give_all_back(taken)
            return answer
        taken.append(answer)
    return taken


def give_all_back(places: Iterable[Place]) -> None:
    for place in places:
        give_back(place)


def locked(limit: str, who: str) -> LimitCount:
    while True:
        row, _ = LimitCount.objects.get_or_create(limit=limit, who=who)
        found = LimitCount.objects.select_for_update(no_key=True).filter(pk=row.pk).first()
        if found:
            return found  # and else it was pruned in between


def keep(row: LimitCount, taken: list[float]) -> None:
    row.taken, row.until = taken, datetime.fromtimestamp(max(taken, default=time.time()), UTC)
    row.save(update_fields=["taken", "until"])


def idle_limits(now: datetime) -> QuerySet[LimitCount]:
    """Of whom nothing is counted any more."""
    return LimitCount.objects.filter(until__lte=now)
