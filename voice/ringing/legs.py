"""The legs by which people are rung: made at Twilio by jobs, each of them once, and over within two minutes.

A leg is stored before Twilio is asked, for it holds money. Whoever asks claims it first: of a worker that is killed in
between nobody knows whether a phone rings, and none rings twice. Twilio's first word of it names it then.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.conf import settings
from django.utils import timezone
from django_tasks import task

from core.attempts import Attempts
from core.transactions import atomic_and_retried
from core.wire import number_in
from groups.models import Ring
from voice.conferences.events import receive_call_event, write_end
from voice.credit.charges import lock_call
from voice.credit.endings import Ending, answer
from voice.entering import CALLBACK_RETRIES
from voice.hang_ups import hang_up
from voice.models import UNNAMED, Call, HangUp
from voice.ring_outcomes import settle_ring
from voice.telephony.fields import SID
from voice.telephony.interface import TelephonyRefused, telephony

logger = logging.getLogger(__name__)

SECONDS = 45
"""So long a phone rings."""
LATEST = timedelta(seconds=SECONDS)
"""From a ring until its phones begin to ring: later nobody waits any more."""
LOOK_AFTER = timedelta(seconds=SECONDS + 15)
LOOK_AGAIN = timedelta(seconds=30)
OVER_AFTER = timedelta(minutes=2)
"""Who answers at the last moment hears everything twice, and has 20 seconds for a key."""
MINUTE = timedelta(minutes=1)
WAITS, DIALLED = "queued", "initiated"
"""https://www.twilio.com/docs/voice/api/call-resource#call-status-values"""
ANSWER, EVENTS = "/api/voice/ringAnswer", "/api/voice/callEvents"


def new_sid() -> str:
    """Until Twilio names the leg."""
    return f"{UNNAMED}{uuid4().hex}"


def address_of(path: str, leg_id: int, **more: str) -> str:
    return f"{settings.PUBLIC_URL}{path}?{urlencode({'leg': str(leg_id), **more})}"


@task(seconds=15, tries=3)
def dial(call_id: int) -> None:
    """Rings a phone or an app, once: what fails is seen to later."""
    now = timezone.now()
    for leg in Call.objects.running().filter(pk=call_id, status=WAITS):
        if now > leg.created_at + LATEST or not is_wanted(leg):
            write_end(leg, Ending("canceled", Call.EndSource.EVENT, duration=0), now=now)
        elif Call.objects.running().filter(pk=call_id, status=WAITS).update(status=DIALLED, heard_at=now):
            dial_at_twilio(leg)


def is_wanted(leg: Call) -> bool:
    is_ringing = Ring.objects.filter(pk=leg.ring_id or 0, state=Ring.State.RINGING).exists()
    return is_ringing and not HangUp.objects.filter(call=leg).exists()


def dial_at_twilio(leg: Call) -> None:
    """What Twilio refuses does not ring; where it does not answer, perhaps it does."""
    callback = f"{address_of(EVENTS, leg.pk)}{CALLBACK_RETRIES}"
    try:
        sid = telephony().ring(to=leg.called, url=address_of(ANSWER, leg.pk), status_callback=callback, seconds=SECONDS)
    except TelephonyRefused:
        logger.warning("Twilio rings nobody by leg %s", leg.pk)
        write_end(leg, Ending("failed", Call.EndSource.EVENT, duration=0), now=timezone.now())
        return
    learn_sid(leg.pk, sid)


@atomic_and_retried
def learn_sid(call_id: int, sid: str) -> None:
    """Notes by which sid Twilio knows a leg, where that is not known yet."""
    for row in Call.objects.select_for_update(no_key=True).filter(pk=call_id, sid__startswith=UNNAMED):
        if SID.fullmatch(sid) and not sid.startswith(UNNAMED) and not Call.objects.filter(sid=sid).exists():
            row.sid, row.heard_at = sid, timezone.now()
            row.save(update_fields=["sid", "heard_at"])


def leg_of(params: Mapping[str, str]) -> Call | None:
    """The leg of which Twilio asks or tells, by the address that it was given: it may not have been named yet."""
    pk = number_in(params.get("leg", ""))
    if pk is None:
        return None
    legs, sid = Call.objects.filter(pk=pk), params.get("CallSid", "")
    if legs.filter(sid__startswith=UNNAMED).exists():
        learn_sid(pk, sid)
    return legs.filter(sid=sid).first()


def receive_leg_event(params: Mapping[str, str], *, now: datetime) -> None:
    """A call status callback, of any call."""
    leg_of(params)
    receive_call_event(params, now=now)


def begin_looking(ring_id: int, *, now: datetime) -> None:
    look_at_ring.using(run_after=now + LOOK_AFTER).enqueue(ring_id, 1)


@task(seconds=20, tries=6, longest_wait=MINUTE)
def look_at_ring(ring_id: int, look: int) -> None:
    """Whether it has come to something by now, also where Twilio has not told. Raises where Twilio does not answer."""
    now = timezone.now()
    see_to(ring_id, now=now)
    if Call.objects.rung().filter(ring_id=ring_id, created_at__gt=now - OVER_AFTER).exists():
        look_at_ring.using(run_after=now + LOOK_AGAIN).enqueue(ring_id, look + 1)


def see_to_old_rings(*, now: datetime) -> int:
    """For each minute, where no job has; how many could not be seen to."""
    attempts = Attempts()
    legs = Call.objects.rung().filter(created_at__lte=now - OVER_AFTER).values_list("ring_id", flat=True)
    rings = Ring.objects.filter(state=Ring.State.RINGING, created_at__lte=now - OVER_AFTER)
    for ring_id in sorted({*legs, *rings.values_list("pk", flat=True)}):
        if attempts.is_over:
            break
        with attempts.one(f"see to ring {ring_id}"):
            see_to(ring_id or 0, now=now)
    return attempts.failed


def see_to(ring_id: int, *, now: datetime) -> None:
    for leg in Call.objects.rung().filter(ring_id=ring_id).order_by("pk"):
        see_to_leg(leg, now=now)
    settle_ring(ring_id)


def see_to_leg(leg: Call, *, now: datetime) -> None:
    """A phone that was never answered rings no longer, whatever Twilio knows of it: it holds no money any more."""
    is_asked = leg.is_named and not telephony().is_played
    report = telephony().call(sid=leg.sid) if is_asked else None
    if report and report.ended:
        write_end(leg, answer(report), now=now)
    elif report is None:
        write_end(leg, Ending("no-answer", Call.EndSource.ASSUMED, duration=0), now=now)
    elif now > leg.created_at + OVER_AFTER:
        hang_up(Call.objects.filter(pk=leg.pk), why=HangUp.Why.RING_OVER)


@atomic_and_retried
def note_answer(leg: Call, said: Call.RingAnswer, **changes: Any) -> bool:
    """What somebody did on the phone; whether it counts. Of several phones only one lets its person in: the first.

    Locks the leg, and then, for who presses 1, their ring's others by the ring's row.
    """
    row = lock_call(leg)
    if said == Call.RingAnswer.PRESSED:
        list(Ring.objects.select_for_update(no_key=True).filter(pk=row.ring_id or 0))
        taken = (Call.RingAnswer.PRESSED, Call.RingAnswer.JOINED)
        if Call.objects.filter(ring_id=row.ring_id, ring_answer__in=taken).exclude(pk=row.pk).exists():
            return False
        if row.ring_answer == Call.RingAnswer.JOINED:
            return True  # Twilio asks again
    if row.ring_answer not in ("", Call.RingAnswer.PRESSED):
        return row.ring_answer == said
    row.ring_answer = said
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=["ring_answer", *changes])
    return True
