"""What a leg's payer is charged: by Twilio's price, else at our own rates after a day, or as staff have settled it.

Each change of it posts the difference, under the leg's lock and in one transaction with what its row says of it.
"""

import logging
from datetime import datetime, timedelta
from itertools import count

from django.conf import settings
from rest_framework.exceptions import ValidationError

from billing.ledger import post_entry
from billing.models import LedgerEntry
from billing.telling import tell_if_low
from core.transactions import atomic_and_retried
from groups.models import Group
from voice.credit.call_credit import at_our_rates, caption_minutes, worth_of_ten_minutes
from voice.models import Call

logger = logging.getLogger(__name__)

RECHECK = timedelta(hours=24)
MEMO = LedgerEntry._meta.get_field("memo").max_length
PRICED = "Twilio's price has come meanwhile, and the call is charged by it. Adjust the account's balance instead."
SETTLED = "This call was settled meanwhile, by another amount. Adjust the account's balance instead."


def lock_call(call: Call) -> Call:
    return Call.objects.select_for_update(no_key=True).get(pk=call.pk)


@atomic_and_retried
def post_price(call: Call, price_micros: int, *, now: datetime) -> None:
    """Writes the price and charges the payer for it and for the conference, once; a changed price posts the difference.

    A price is asked for once more a day later: Twilio may correct it.
    """
    claimed = call.price_due_at
    call = lock_call(call)
    is_news = call.price_micros != price_micros or not is_charged(call)
    call.price_micros, call.price_unit, call.price_told = price_micros, "USD", ""
    if call.settled_by == Call.SettledBy.STAFF:
        call.price_due_at = None  # what a person has decided stays
    elif not is_news:
        call.price_due_at = None if call.price_due_at == claimed else call.price_due_at  # by another run
        charge_captions(call)  # their end may have been told late
    else:
        call.price_due_at = now + RECHECK
        charge(call, call.minutes * settings.CONFERENCE_RATE - price_micros, by=Call.SettledBy.PRICE)
    call.save(update_fields=["price_micros", "price_unit", "price_told", "price_due_at", *CHARGE])


@atomic_and_retried
def settle_at_our_rates(call: Call) -> bool:
    """Charges a leg whose price does not come as we would estimate it; whether there was something to charge."""
    call = lock_call(call)
    if call.price_micros is not None or call.settled_by == Call.SettledBy.STAFF or is_charged(call):
        return False
    logger.error("Call %s has no price: its payer is charged at our own rates until it comes", call.sid)
    charge(call, at_our_rates(call), by=Call.SettledBy.RATES)
    call.save(update_fields=CHARGE)
    return True


@atomic_and_retried
def settle_by_staff(call: Call, amount_micros: int, *, reason: str) -> None:
    """Charges a leg without a price as a person has decided, for good. The same once more changes nothing.

    Raises ValidationError where its price has come, or somebody has settled it otherwise.
    """
    call = lock_call(call)
    if call.price_micros is not None:
        raise ValidationError(PRICED)
    if call.settled_by == Call.SettledBy.STAFF:
        if call.charged_micros != amount_micros:
            raise ValidationError(SETTLED)
        return
    charge(call, amount_micros, by=Call.SettledBy.STAFF, memo=reason)
    call.price_due_at = None
    call.save(update_fields=["price_due_at", *CHARGE])


CHARGE = ["charged_micros", "charged_minutes", "settled_by", "captions_micros"]


def charge(call: Call, total_micros: int, *, by: Call.SettledBy, memo: str = "") -> None:
    """Posts what is between the total and what was charged before. `call` is locked, and for the caller to save."""
    call.charged_minutes, call.settled_by = call.minutes, by
    if call.payer is None:
        return
    charge_captions(call)
    is_first, difference = call.charged_micros is None, total_micros - (call.charged_micros or 0)
    if difference:
        post_entry(
            account=call.payer,
            kind=LedgerEntry.Kind.CALL,
            amount_micros=-difference,
            reference=f"twilio:{call.sid}" if is_first else next_reference(call.sid),
            memo=(memo or words(call, is_first=is_first, by=by))[:MEMO],
            group_id=call.group_id,
        )
    if difference > 0:
        tell_if_low(call.payer, below_micros=worth_of_ten_minutes(call.payer))
    call.charged_micros = total_micros


def charge_captions(call: Call) -> None:
    """Posts what the captions of a leg cost, at our own rate: an entry of its own, once, and its corrections. Of a leg
    that its payer is charged for. `call` is locked, and for the caller to save."""
    minutes = caption_minutes(call, now=call.end_time or call.created_at)
    total = int(minutes * settings.CAPTION_RATE)
    if call.payer is None or total == (call.captions_micros or 0):
        return
    group = Group.objects.filter(pk=call.group_id or 0).first()
    where = group.name if group else "a group that is gone"
    is_first = call.captions_micros is None
    post_entry(
        account=call.payer,
        kind=LedgerEntry.Kind.CALL,
        amount_micros=(call.captions_micros or 0) - total,
        reference=next_reference(f"{call.sid}:captions"),
        memo=(f"Captions, {minutes} min, in {where}" if is_first else f"Corrected captions in {where}")[:MEMO],
        group_id=call.group_id,
    )
    call.captions_micros = total


def is_charged(call: Call) -> bool:
    """Whether somebody was charged for all its minutes, or nobody is to be."""
    return call.minutes == call.charged_minutes and (call.payer_id is None or call.charged_micros is not None)


def next_reference(sid: str) -> str:
    """A correction has its own. Nobody else posts for this leg meanwhile: it is locked."""
    names = (f"twilio:{sid}:corrected:{number}" if number else f"twilio:{sid}" for number in count())
    return next(name for name in names if not LedgerEntry.objects.filter(reference=name).exists())


def words(call: Call, *, is_first: bool, by: Call.SettledBy) -> str:
    """What the payer reads in their statement."""
    group = Group.objects.filter(pk=call.group_id or 0).first()
    where = group.name if group else "a group that is gone"
    if by == Call.SettledBy.RATES:
        return f"Call of {call.minutes} min, at our own rates until Twilio's price is known, in {where}"
    return f"Call of {call.minutes} min in {where}" if is_first else f"Corrected price of a call in {where}"
