"""A payer's credit for calls, as the database has it."""

from datetime import datetime

from django.conf import settings

from billing.models import Account
from voice.credit.limits import CallCredit, Leg
from voice.models import Call


def call_credit(account: Account, *, now: datetime, without: str = "") -> CallCredit:
    """What the account can carry, without the leg of that sid. Lock it first: a price posted meanwhile counts once."""
    legs = Call.objects.unsettled(account).exclude(sid=without)
    return CallCredit(
        balance=account.balance_micros(),
        legs=tuple(leg_of(call, now=now) for call in legs),
        rate=settings.CALL_RATE + settings.CONFERENCE_RATE,
        hold_minutes=settings.HOLD_MINUTES,
    )


def leg_of(call: Call, *, now: datetime) -> Leg:
    """How long it has lasted, as the limits count it: a running one from when it asked to be let in."""
    if call.end_time:
        return Leg(call.duration or 0, running=False)
    return Leg(max(0, int((now - call.created_at).total_seconds())), running=True)
