"""Ending legs at Twilio, where somebody may be on a call no more or its payer's balance is used up.

Who loses their place is hung up on after the commit; where Twilio fails, `manage.py reconcile_calls` tells it again
each minute until the leg has ended. Safe to run twice at once: whoever ends a leg claims it first, in one statement.
Twilio is never asked inside a transaction. In our books a leg ends when Twilio tells so, or is asked.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import QuerySet, Value
from django.utils import timezone
from rest_framework.exceptions import APIException

from groups.models import Participant
from groups.services import remove_everybody, remove_person
from voice.models import Call, HangUp
from voice.telephony.interface import telephony

logger = logging.getLogger(__name__)

CLAIM = timedelta(seconds=30)
ENOUGH_FAILURES = 3


@dataclass(slots=True)
class HangUpSummary:
    ended: int = 0
    failed: int = 0


@transaction.atomic
def take_off_call(*, group_id: int, user_id: int, by: int | None) -> None:
    """Takes a person off the group's call list, and hangs up on them: also on who is let in and not shown yet."""
    remove_person(group_id=group_id, user_id=user_id, people=Participant, by=by)
    hang_up(Call.objects.filter(group_id=group_id, user_id=user_id), why=HangUp.Why.TAKEN_OFF)


@transaction.atomic
def end_group_call(*, group_id: int) -> int:
    """Ends the group's call for everybody, whoever they are; how many were on the list."""
    removed = remove_everybody(group_id=group_id, people=Participant)
    hang_up(Call.objects.filter(group_id=group_id), why=HangUp.Why.CALL_ENDED)
    return removed


def hang_up(legs: QuerySet[Call], *, why: HangUp.Why) -> None:
    """Stores that these legs are to end, those of them that run, and tells Twilio after the commit."""
    store_and_tell(legs.filter(end_time=None).annotate(why=Value(why)))


def hang_up_on_unwelcome(sids: Iterable[str]) -> None:
    """The same for those of these legs that may be on no more."""
    store_and_tell(Call.objects.filter(sid__in=sids).unwelcome())


def store_and_tell(legs: QuerySet[Any]) -> None:
    ids = store_hang_ups(legs)
    if ids:  # one who is to go for long already, too: Twilio may have failed
        again = Call.objects.running().filter(pk__in=ids)
        transaction.on_commit(lambda: end_legs(again, HangUpSummary(), now=timezone.now()), robust=True)


def store_hang_ups(legs: QuerySet[Any]) -> list[int]:
    """Stores that legs are to end, for the reason that each has as `why`, once; their ids."""
    ending = dict(legs.values_list("pk", "why"))
    known = HangUp.objects.filter(call__in=ending).values_list("call_id", flat=True)
    new = ending.keys() - set(known)
    HangUp.objects.bulk_create(HangUp(call_id=pk, why=ending[pk]) for pk in sorted(new))
    return list(ending)


def repeat_hang_ups(*, now: datetime) -> HangUpSummary:
    """For each minute: finds who may be on no more, whatever took their place away, and tells Twilio what it was told
    in vain. Twilio's failures are for the next run; after some, all of the rest is."""
    summary = HangUpSummary()
    with counted(summary):
        store_hang_ups(Call.objects.unwelcome())
        end_legs(Call.objects.to_be_hung_up(), summary, now=now)
    return summary


def still_on(*, now: datetime) -> int:
    """How many legs run although Twilio should have ended them by now."""
    return Call.objects.to_be_hung_up().filter(hang_ups__asked_at__lte=now - CLAIM).distinct().count()


def end_legs(legs: Iterable[Call], summary: HangUpSummary, *, now: datetime) -> None:
    """Tells Twilio to end them: those never tried, or tried longest ago, come first."""
    for call in sorted(legs, key=lambda call: (call.hang_up_at is not None, call.hang_up_at, call.pk)):
        if summary.failed >= ENOUGH_FAILURES:
            return
        with counted(summary):
            if claim_leg(call, now=now):
                telephony().end_call(call_sid=call.sid)
                logger.info("Twilio was told to end call %s", call.sid)
                summary.ended += 1


def claim_leg(call: Call, *, now: datetime) -> bool:
    """Whether no other run has it."""
    if call.hang_up_at and call.hang_up_at > now - CLAIM:
        return False
    unclaimed = Call.objects.running().filter(pk=call.pk, hang_up_at=call.hang_up_at)
    return bool(unclaimed.update(hang_up_at=now))


@contextmanager
def counted(summary: HangUpSummary) -> Iterator[None]:
    """Lets a failure inside be, and counts it."""
    try:
        yield
    except (APIException, DatabaseError) as error:
        logger.warning("A call could not be ended: %s", type(error).__name__)
        summary.failed += 1
