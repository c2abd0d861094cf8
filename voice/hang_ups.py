"""Ending legs at Twilio, where somebody may be on a call no more or its payer's balance is used up.

Who loses their place is hung up on by a job, stored with what took it away. `manage.py reconcile_calls` finds who may
be on a call no more although no job knows, and tells Twilio each minute of legs that have not ended although it was
told. Safe to run twice at once: whoever ends a leg there claims it first, in one statement.
Twilio is never asked inside a transaction. In our books a leg ends when Twilio tells so, or is asked.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet, Value
from django.utils import timezone
from django_tasks import task

from core.attempts import Attempts
from core.jobs.queue import enqueue_each
from core.transactions import atomic_and_retried
from groups.models import Group, Participant
from groups.services import remove_everybody, remove_person
from voice.models import Call, Conference, HangUp
from voice.telephony.interface import telephony

logger = logging.getLogger(__name__)

CLAIM = timedelta(seconds=30)
MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class HangUpSummary:
    ended: int = 0
    attempts: Attempts = field(default_factory=Attempts)

    @property
    def failed(self) -> int:
        return self.attempts.failed


@atomic_and_retried
def take_off_call(*, group_id: int, user_id: int, by: int | None, check: Callable[[], None]) -> None:
    """Takes a person off the group's call list, and hangs up on them: also on who is let in and not shown yet."""
    remove_person(group_id=group_id, user_id=user_id, people=Participant, by=by, check=check)
    hang_up(Call.objects.filter(group_id=group_id, user_id=user_id), why=HangUp.Why.TAKEN_OFF)


@atomic_and_retried
def end_group_call(*, group_id: int, check: Callable[[], None]) -> int:
    """Ends the group's call for everybody, whoever they are; how many were on the list."""
    removed = remove_everybody(group_id=group_id, people=Participant, check=check)
    hang_up(Call.objects.filter(group_id=group_id), why=HangUp.Why.CALL_ENDED)
    return removed


def hang_up(legs: QuerySet[Call], *, why: HangUp.Why) -> None:
    """Stores that these legs are to end, those of them that run, and a job for each that tells Twilio."""
    store_and_tell(legs.filter(end_time=None).annotate(why=Value(why)))


def hang_up_on_unwelcome(sids: Iterable[str]) -> None:
    """The same for those of these legs that may be on no more."""
    store_and_tell(Call.objects.filter(sid__in=sids).unwelcome())


def store_and_tell(legs: QuerySet[Any]) -> None:
    if ids := store_hang_ups(legs):  # one who is to go for long already, too: Twilio may have failed
        enqueue_each(end_leg, [(pk,) for pk in ids])


@task(seconds=15, tries=6, longest_wait=MINUTE)
def end_leg(call_id: int) -> None:
    """Tells Twilio to end a leg, where it runs still. Raises where Twilio does not do so."""
    now = timezone.now()
    for call in Call.objects.running().filter(pk=call_id):
        if not claim_leg(call, now=now):  # it was told a moment ago
            return
        try:
            end_at_twilio(call.sid)
        except Exception:
            Call.objects.filter(pk=call_id, hang_up_at=now).update(hang_up_at=now - CLAIM)
            raise


@task(seconds=15, tries=6, longest_wait=MINUTE)
def end_conference(sid: str) -> None:
    """Ends the conference of a group that is gone, where it goes on: also for those whose legs nobody knows."""
    for conference in Conference.objects.filter(pk=sid, ended_at=None, completed=False):
        if not Group.objects.filter(pk=conference.group_id or 0).exists():
            telephony().end_conference(sid=sid)


def store_hang_ups(legs: QuerySet[Any]) -> list[int]:
    """Stores that legs are to end, for the reason that each has as `why`, once; their ids."""
    ending = dict(legs.values_list("pk", "why"))
    known = HangUp.objects.filter(call__in=ending).values_list("call_id", flat=True)
    new = ending.keys() - set(known)
    HangUp.objects.bulk_create(HangUp(call_id=pk, why=ending[pk]) for pk in sorted(new))
    return list(ending)


def repeat_hang_ups(*, now: datetime) -> HangUpSummary:
    """For each minute: finds who may be on no more, whatever took their place away, and tells Twilio what it was told
    in vain. What fails is for the next run; where Twilio has failed to answer three times in a row, all of the rest."""
    summary = HangUpSummary()
    with summary.attempts.one("find who may be on a call no more"):
        store_hang_ups(Call.objects.unwelcome())
    end_legs(Call.objects.to_be_hung_up(), summary, now=now)
    return summary


def still_on(*, now: datetime) -> int:
    """How many legs run although Twilio should have ended them by now."""
    return Call.objects.to_be_hung_up().filter(hang_ups__asked_at__lte=now - CLAIM).distinct().count()


def end_legs(legs: Iterable[Call], summary: HangUpSummary, *, now: datetime) -> None:
    """Tells Twilio to end them: those never tried, or tried longest ago, come first."""
    for call in sorted(legs, key=lambda call: (call.hang_up_at is not None, call.hang_up_at, call.pk)):
        if summary.attempts.is_over:
            return
        with summary.attempts.one(f"end call {call.sid}"):
            if claim_leg(call, now=now):
                end_at_twilio(call.sid)
                summary.ended += 1


def end_at_twilio(sid: str) -> None:
    """Raises LookupError where Twilio does not know the leg: nobody can say then whether it goes on."""
    if not telephony().end_call(call_sid=sid):
        raise LookupError(sid)
    logger.info("Twilio was told to end call %s", sid)


def claim_leg(call: Call, *, now: datetime) -> bool:
    """Whether no other run has it."""
    if call.hang_up_at and call.hang_up_at > now - CLAIM:
        return False
    unclaimed = Call.objects.running().filter(pk=call.pk, hang_up_at=call.hang_up_at)
    return bool(unclaimed.update(hang_up_at=now))
