"""What calls cost: asked of Twilio after they end, and charged to their payer.

Twilio's price of a call is empty at first, and leaves out the conference's own fee, which is added here per started
minute. https://www.twilio.com/docs/voice/api/call-resource#call-properties
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django_tasks import task

from core.attempts import Attempts
from core.deadline import is_over
from core.transactions import atomic_and_retried
from voice.credit.charges import lock_call, post_price, settle_at_our_rates
from voice.credit.endings import FIRST_WAIT, answer, believed, write_ending
from voice.credit.limits import MINUTE, can_be_price
from voice.models import DAY, Call
from voice.telephony.interface import CallReport, telephony

logger = logging.getLogger(__name__)

WAITS = (FIRST_WAIT, *(timedelta(minutes=minutes) for minutes in (5, 15, 60, 6 * 60, 24 * 60)))
LAST_ASK = timedelta(days=7)
"""So long after its end is a leg's price asked for, each day; it was charged at our own rates after the first."""
MOST_AT_ONCE = 500
CLAIM = timedelta(minutes=2)
"""Longer than a run."""


@dataclass(slots=True)
class PriceSummary:
    priced: int = 0
    waiting: int = 0
    given_up: int = 0
    """How many legs have no price a day after their end, whoever has settled them since but staff."""
    settled: int = 0
    left: int = 0
    """How many are due and were not asked about, or got no answer."""


def sync_prices(*, now: datetime) -> PriceSummary:
    """Asks for the prices that are due, and settles what has waited for a day. Each by itself: one failure leaves the
    others alone, and no answer is not "no price": it is asked again by the next run."""
    summary, attempts = PriceSummary(), Attempts()
    for call in Call.objects.price_due(now)[:MOST_AT_ONCE]:
        if attempts.is_over:
            break
        with attempts.one(f"ask for the price of call {call.sid}"):
            ask(call, summary, now=now)
    for call in Call.objects.overdue(now)[:MOST_AT_ONCE]:
        if is_over():
            break
        with attempts.one(f"settle call {call.sid}"):
            summary.settled += settle_at_our_rates(call)
    summary.left = Call.objects.price_due(now).count()
    summary.given_up = Call.objects.without_price(now).count()
    return summary


@task(seconds=20, tries=3)
def ask_for_price(call_id: int) -> None:
    """Asks for the price of a leg, where that is due: stored with its end. Whatever it leaves is for `sync_prices`."""
    now = timezone.now()
    for call in Call.objects.price_due(now).filter(pk=call_id):
        ask(call, PriceSummary(), now=now)


def ask(call: Call, summary: PriceSummary, *, now: datetime) -> None:
    if not claim_price(call, now=now):
        return
    try:
        learn_price(call, summary, now=now)
    except BaseException:
        Call.objects.filter(pk=call.pk, price_due_at=call.price_due_at).update(price_due_at=now)  # behind the others
        raise


def learn_price(call: Call, summary: PriceSummary, *, now: datetime) -> None:
    report = telephony().call(sid=call.sid, duration=call.duration or 0)
    if report and report.ended:
        correct_ending(call, report, now=now)
    price = believed_price(call, report, now=now) if report else None
    if price is None:
        price = call.price_micros  # once known it stays
    if price is not None:
        post_price(call, price, now=now)
        summary.priced += 1
    else:
        wait(call, report, now=now)
        summary.waiting += 1


def believed_price(call: Call, report: CallReport, *, now: datetime) -> int | None:
    """None where there is none yet, and where it cannot be: that one is kept aside for staff, as if none had come."""
    lasted = believed(answer(report), call, now=now).duration or 0
    price, minutes = report.price_micros, max(call.minutes, -(-lasted // MINUTE))
    if price is not None and can_be_price(price, minutes=minutes, call_rate=int(settings.CALL_RATE)):
        return price
    if report.price_told and report.price_unit == "USD":
        logger.error("Call %s has a price that cannot be: it is kept aside for staff", call.sid)
    return None


def claim_price(call: Call, *, now: datetime) -> bool:
    """Whether no other run has it. It is due again once a run that was killed must be over; one that fails is due at
    once, behind those that are due as well: it holds up nobody."""
    unclaimed = Call.objects.filter(pk=call.pk, price_due_at=call.price_due_at)
    call.price_due_at = now + CLAIM
    return bool(unclaimed.update(price_due_at=call.price_due_at))


@atomic_and_retried
def correct_ending(call: Call, report: CallReport, *, now: datetime) -> None:
    """Puts what Twilio knows in the place of what was assumed."""
    row = lock_call(call)
    due, attempts = row.price_due_at, row.price_attempts
    if not row.end_source or not write_ending(row, answer(report), now=now):
        return
    row.price_due_at, row.price_attempts = due, attempts  # it is being asked for
    row.save()


def wait(call: Call, told: CallReport | None, *, now: datetime) -> None:
    """Asks again later, after a day once a day, for a week."""
    attempt = call.price_attempts
    is_late = call.end_time is not None and now - call.end_time >= LAST_ASK
    due = None if is_late else now + (WAITS[attempt + 1] if attempt + 1 < len(WAITS) else DAY)
    unchanged = Call.objects.filter(pk=call.pk, price_micros=None, price_attempts=attempt)  # by another run
    changes = {"price_unit": told.price_unit[:3], "price_told": told.price_told[:40]} if told else {}
    if unchanged.update(price_due_at=due, price_attempts=attempt + 1, **changes) and call.settled_by:
        settle_at_our_rates(call)  # where its minutes were corrected
