"""A payer's credit for calls, as the database has it."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from billing.models import Account
from voice.credit.limits import CallCredit, Leg
from voice.models import Call

TEN_MINUTES = 10
FEWEST_PHONES = 2
LAST_LEGS = 20


def call_credit(account: Account, *, now: datetime, without: str = "") -> CallCredit:
    """What the account can carry, without the leg of that sid. Lock it first: a price posted meanwhile counts once."""
    legs = Call.objects.unsettled(account).exclude(sid=without)
    return CallCredit(
        balance=account.balance_micros() - account.reserved_micros(),
        legs=tuple(leg_of(call, now=now) for call in legs),
        rate=our_rate(),
        hold_minutes=settings.HOLD_MINUTES,
    )


def held_by_calls(account: Account) -> int:
    """What the account's legs keep of its balance until they are charged."""
    now = timezone.now()
    return sum(held_micros(call, now=now) for call in Call.objects.unsettled(account))


def our_rate() -> int:
    """Of one started minute of a leg, in micro-dollars."""
    return int(settings.CALL_RATE + settings.CONFERENCE_RATE)


def at_our_rates(call: Call) -> int:
    """What we take a leg to cost, until Twilio's price is known."""
    return call.minutes * our_rate()


def worth_of_ten_minutes(account: Account) -> int:
    """What ten minutes of this payer's usual call cost: of as many phones as their last calls had, two at least."""
    legs = Call.objects.filter(payer=account).exclude(conference=None).order_by("-id")
    conferences = legs.values_list("conference_id", flat=True)[:LAST_LEGS]
    phones = -(-len(conferences) // len(set(conferences))) if conferences else 0
    return TEN_MINUTES * our_rate() * max(phones, FEWEST_PHONES)


def held_micros(call: Call, *, now: datetime) -> int:
    """What a leg that is not settled keeps from the others."""
    return leg_of(call, now=now).held_minutes(settings.HOLD_MINUTES) * our_rate()


def leg_of(call: Call, *, now: datetime) -> Leg:
    """How long it has lasted, as the limits count it: a running one from when it asked to be let in."""
    if call.end_time:
        return Leg(call.duration or 0, running=False)
    return Leg(max(0, int((now - call.created_at).total_seconds())), running=True)
