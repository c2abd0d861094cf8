"""What calls cost: asked of Twilio after they end, and charged to their payer once.

Twilio's price of a call is empty at first, and leaves out the conference's own fee, which is added here per started
minute. https://www.twilio.com/docs/voice/api/call-resource#call-properties
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from billing.ledger import post_entry
from billing.models import LedgerEntry
from core.vendors import best_effort
from groups.models import Group
from voice.models import Call
from voice.telephony.interface import telephony

logger = logging.getLogger(__name__)

FIRST_WAIT = timedelta(minutes=2)
NEXT_WAITS = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 6 * 60, 24 * 60))
RECHECK = timedelta(hours=24)
MOST_AT_ONCE = 500


@dataclass(slots=True)
class PriceSummary:
    priced: int = 0
    waiting: int = 0
    given_up: int = 0


def sync_prices(*, now: datetime) -> PriceSummary:
    """Asks for the prices that are due. Each is asked and posted by itself: one failure leaves the others alone."""
    summary = PriceSummary()
    for call in Call.objects.price_due(now)[:MOST_AT_ONCE]:
        price = ask(call)
        if price is None and call.price_micros is None:
            wait(call, now=now)
            summary.waiting += 1
        elif price is None:
            Call.objects.filter(pk=call.pk).update(price_due_at=None)  # the price known stays
        else:
            post_price(call, price, now=now)
            summary.priced += 1
    summary.given_up = Call.objects.never_priced().count()
    return summary


def ask(call: Call) -> int | None:
    with best_effort(f"ask for the price of call {call.sid}"):
        return telephony().call(sid=call.sid, duration=call.duration or 0).price_micros
    return None


def wait(call: Call, *, now: datetime) -> None:
    """Asks again later, and after a day no more: the call is then reported as without a price."""
    attempt = call.price_attempts
    due = now + NEXT_WAITS[attempt] if attempt < len(NEXT_WAITS) else None
    unchanged = Call.objects.filter(pk=call.pk, price_micros=None, price_attempts=attempt)  # by another run
    if unchanged.update(price_due_at=due, price_attempts=attempt + 1) and due is None:
        logger.error("Call %s has no price after a day: look at it in Twilio's console", call.sid)


@transaction.atomic
def post_price(call: Call, price_micros: int, *, now: datetime) -> None:
    """Writes the price and charges the payer for it and for the conference, once; a changed price posts the difference.

    A price is asked for once more a day later: Twilio may correct it.
    """
    call = Call.objects.select_for_update(no_key=True).get(pk=call.pk)
    first = call.price_micros is None
    minutes = -(-(call.duration or 0) // 60)
    cost = minutes * settings.CONFERENCE_RATE - price_micros if first else (call.price_micros or 0) - price_micros
    call.price_micros = price_micros
    if first:
        call.price_due_at = now + RECHECK
    elif call.price_due_at and call.price_due_at <= now:
        call.price_due_at = None
    call.save(update_fields=["price_micros", "price_due_at"])
    if call.payer is None or not cost:
        return
    group = Group.objects.filter(pk=call.group_id or 0).first()
    where = group.name if group else "a group that is gone"
    post_entry(
        account=call.payer,
        kind=LedgerEntry.Kind.CALL,
        amount_micros=-cost,
        reference=f"twilio:{call.sid}" if first else f"twilio:{call.sid}:corrected:{price_micros}",
        memo=f"Call of {minutes} min in {where}" if first else f"Corrected price of a call in {where}",
        group_id=call.group_id,
    )
