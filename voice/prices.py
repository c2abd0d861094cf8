"""What calls cost: asked of Twilio after they end, and charged to their payer once.

Twilio's price of a call is empty at first, and leaves out the conference's own fee, which is added here per started
minute. https://www.twilio.com/docs/voice/api/call-resource#call-properties
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from rest_framework.exceptions import APIException

from billing.ledger import post_entry
from billing.models import LedgerEntry
from groups.models import Group
from voice.models import Call
from voice.telephony import telephony

logger = logging.getLogger(__name__)

FIRST_WAIT = timedelta(minutes=2)
NEXT_WAITS = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 6 * 60, 24 * 60))
MOST_AT_ONCE = 500


@dataclass(slots=True)
class Summary:
    priced: int = 0
    waiting: int = 0
    given_up: int = 0


def sync_prices(*, now: datetime) -> Summary:
    """Asks for the prices that are due. Each is asked and posted by itself: one failure leaves the others alone."""
    summary = Summary()
    for call in Call.objects.price_due(now)[:MOST_AT_ONCE]:
        price = ask(call)
        if price is None:
            wait(call, now=now)
            summary.waiting += 1
        else:
            post_price(call, price)
            summary.priced += 1
    summary.given_up = Call.objects.never_priced().count()
    return summary


def ask(call: Call) -> int | None:
    try:
        return telephony().price_micros(call_sid=call.sid, duration=call.duration or 0)
    except APIException as error:
        logger.warning("No price for call %s: %s", call.sid, error)
        return None


def wait(call: Call, *, now: datetime) -> None:
    """Asks again later, and after a day no more: the call is then reported as without a price."""
    attempt = call.price_attempts
    call.price_due_at = now + NEXT_WAITS[attempt] if attempt < len(NEXT_WAITS) else None
    call.price_attempts = attempt + 1
    call.save(update_fields=["price_due_at", "price_attempts"])


@transaction.atomic
def post_price(call: Call, price_micros: int) -> None:
    """Writes the price, and charges the payer for it and for the conference. Once: the ledger knows the call's sid."""
    call = Call.objects.select_for_update(no_key=True).get(pk=call.pk)
    call.price_micros, call.price_due_at = price_micros, None
    call.save(update_fields=["price_micros", "price_due_at"])
    minutes = -(-(call.duration or 0) // 60)
    cost = -price_micros + minutes * settings.CONFERENCE_RATE
    if call.payer is None or not cost:
        return
    group = Group.objects.filter(pk=call.group_id or 0).first()
    post_entry(
        account=call.payer,
        kind=LedgerEntry.Kind.CALL,
        amount_micros=-cost,
        reference=f"twilio:{call.sid}",
        memo=f"Call of {minutes} min in {group.name if group else 'a group that is gone'}",
        group_id=call.group_id,
    )
