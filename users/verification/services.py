"""A person's verified number: asking for a code, typing it in, forgetting it.

The service is asked outside transactions. A code is tried under the lock of its person, before it is compared, so that
of many at once no more than five are.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from time import monotonic, sleep

from django.conf import settings
from django.db.models import F
from django.shortcuts import get_object_or_404

from core.failpoints import failpoint
from core.transactions import atomic_and_retried
from users.limits import Full, Place, give_all_back, keyed, of_person, take_places
from users.models import PendingVerification, User, VerifiedNumber
from users.signals import number_shared
from users.verification.interface import LASTS, CodeExpired, CodeWrong, SentTooOften, Started, verification

logger = logging.getLogger(__name__)

MOST_TRIES = 5
PATIENCE = 2.0  # seconds


def start_verification(
    *, user_id: int, number: str, channel: str, now: datetime, check: Callable[[], None] = lambda: None
) -> PendingVerification:
    """Sends a code to a number, in its one form. What was not sent counts for nothing.

    `check` asks for permission once more, under the person's lock. Raises Http404, SentTooOften and what
    `Verification.start` does.
    """
    person = still_allowed(user_id, check)
    places = take_turn(person, number)
    try:
        started = verification().start(number=number, channel=channel, now=now)
    except BaseException:
        give_all_back(places)
        raise
    return keep(user_id, number, channel, started, check)


def take_turn(person: User, number: str) -> list[Place]:
    """One of the person's and one of the number's: several people together send no more codes to one telephone."""
    rate: tuple[int, int] | None = settings.THROTTLE_PHONE_VERIFICATION
    if rate is None:
        return []
    answer = take_places("phone_verification", (of_person(person), keyed("number", number)), *rate)
    if isinstance(answer, Full):
        raise SentTooOften(answer.wait)
    return answer


def locked(user_id: int, check: Callable[[], None]) -> User:
    person = get_object_or_404(User.objects.select_for_update(no_key=True), pk=user_id)
    check()
    return person


still_allowed = atomic_and_retried(locked)


@atomic_and_retried
def keep(user_id: int, number: str, channel: str, started: Started, check: Callable[[], None]) -> PendingVerification:
    """The same code, sent once more, has as many tries left as it had."""
    person = locked(user_id, check)
    old = PendingVerification.objects.filter(user=person, sid=started.sid, number=number).first()
    fields = {"number": number, "channel": channel, **started._asdict(), "tries": old.tries if old else 0}
    return PendingVerification.objects.update_or_create(user=person, defaults=fields)[0]


def check_code(*, user_id: int, code: str, now: datetime, check: Callable[[], None] = lambda: None) -> User:
    """The person, whose number is verified and shown from now on. Raises CodeWrong, CodeExpired, Http404."""
    pending = take_try(user_id, now, check)
    failpoint("before_code_is_compared")
    try:
        is_right = verification().check(sid=pending.sid, code=code)
    except CodeExpired:
        if not was_verified(pending):  # by the same code, sent twice at once
            raise
        is_right = True
    except CodeWrong:
        is_right = False
    except BaseException:
        PendingVerification.objects.filter(pk=pending.pk, sid=pending.sid).update(tries=F("tries") - 1)
        raise
    if not is_right:
        raise CodeWrong
    return approve(pending, now, check)


@atomic_and_retried
def take_try(user_id: int, now: datetime, check: Callable[[], None]) -> PendingVerification:
    person = locked(user_id, check)
    pending = PendingVerification.objects.filter(user=person, expires_at__gt=now, tries__lt=MOST_TRIES).first()
    if pending is None:
        raise CodeExpired
    PendingVerification.objects.filter(pk=pending.pk).update(tries=F("tries") + 1)
    return pending


def was_verified(pending: PendingVerification) -> bool:
    """Whether this very code has done it meanwhile. Where it was sent twice at once, the other request may have its
    answer, and be about to write it down."""
    done = VerifiedNumber.objects.filter(
        user=pending.user_id, number=pending.number, verified_at__gte=pending.expires_at - LASTS
    )
    others = PendingVerification.objects.filter(pk=pending.pk, sid=pending.sid, tries__gt=1)
    ends = monotonic() + PATIENCE
    while not done.exists():
        if monotonic() > ends or not others.exists():
            return done.exists()  # it goes with what is written
        sleep(0.1)
    return True


@atomic_and_retried
def approve(pending: PendingVerification, now: datetime, check: Callable[[], None]) -> User:
    person, number = locked(pending.user_id, check), pending.number
    had_it = set(VerifiedNumber.objects.filter(number=number).values_list("user", flat=True))
    VerifiedNumber.objects.update_or_create(user=person, defaults={"number": number, "verified_at": now})
    PendingVerification.objects.filter(user=person, sid=pending.sid).delete()
    person.phone_number = int(number)
    person.save(update_fields=["phone_number"])
    if had_it and person.pk not in had_it:
        tell_of_sharing(had_it, person, number)
    return person


def tell_of_sharing(had_it: set[int], newcomer: User, number: str) -> None:
    """Those who had verified a number are told that somebody else has (`groups/receivers.py`)."""
    logger.info(
        "A number that ends in %s is verified by person %s, and before by: %s", number[-2:], newcomer.pk, sorted(had_it)
    )
    number_shared.send(sender=VerifiedNumber, people=sorted(had_it), newcomer=newcomer, ending=number[-2:])


@atomic_and_retried
def forget_number(*, user_id: int, check: Callable[[], None] = lambda: None) -> int:
    """How many numbers were forgotten: one or none. What the person shows as theirs stays. Raises Http404."""
    person = locked(user_id, check)
    return VerifiedNumber.objects.filter(user=person).delete()[0]
