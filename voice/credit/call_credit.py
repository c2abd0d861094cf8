"""A payer's credit for calls, as the database has it."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from billing.models import Account
from voice.credit.limits import MINUTE, MOST_MINUTES, CallCredit, Leg
from voice.models import Call, GroupCall, Transcription

TEN_MINUTES = 10
FEWEST_PHONES = 2
LAST_LEGS = 20


def call_credit(account: Account, *, now: datetime, without: str = "") -> CallCredit:
    """What the account can carry, without the leg of that sid. Lock it first: a price posted meanwhile counts once."""
    return credit_of(
        Call.objects.unsettled(account).exclude(sid=without),
        balance=account.balance_micros() - account.reserved_micros(),
        now=now,
    )


def credit_of(calls: QuerySet[Call], *, balance: int, now: datetime) -> CallCredit:
    rows = list(calls.prefetch_related("transcriptions"))
    captioned = captioned_groups(rows)
    return credit_with([leg_of(call, captioned, now=now) for call in rows], balance=balance)


def credit_with(legs: Iterable[Leg], *, balance: int) -> CallCredit:
    return CallCredit(
        balance=balance,
        legs=tuple(legs),
        rate=our_rate(),
        hold_minutes=settings.HOLD_MINUTES,
        caption_rate=int(settings.CAPTION_RATE),
    )


def captioned_groups(calls: Iterable[Call]) -> set[int]:
    """Those of these legs' groups whose captions are on."""
    groups = {call.group_id for call in calls if call.group_id and call.end_time is None}
    return set(GroupCall.objects.filter(pk__in=groups, captions=True).values_list("pk", flat=True)) if groups else set()


def held_by_calls(account: Account) -> int:
    """What the account's legs keep of its balance until they are charged."""
    credit = credit_of(Call.objects.unsettled(account), balance=0, now=timezone.now())
    return sum(map(credit.held, credit.legs))


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


def held_micros(call: Call, captioned: Collection[int], *, now: datetime) -> int:
    """What a leg that is not settled keeps from the others. It asks for its transcriptions: have them prefetched."""
    leg = leg_of(call, captioned, now=now)
    return credit_with([leg], balance=0).held(leg)


def leg_of(call: Call, captioned: Collection[int], *, now: datetime) -> Leg:
    """How long it has lasted, as the limits count it: a running one from when it asked to be let in."""
    captions = caption_minutes(call, now=now)
    if call.end_time:
        return Leg(call.duration or 0, running=False, caption_minutes=captions)
    seconds = max(0, int((now - call.created_at).total_seconds()))
    return Leg(seconds, running=True, caption_minutes=captions, is_captioned=call.group_id in captioned)


def caption_minutes(call: Call, *, now: datetime) -> int:
    """The started minutes in which its words were written down: of each time by itself, while it was on."""
    latest = min(now, call.end_time or now)
    return sum(
        minutes_between(
            row.started_at, min(row.stopped_at or latest, latest), is_open=not (row.stopped_at or call.end_time)
        )
        for row in call.transcriptions.all()
        if row.started_at and row.fault != Transcription.Fault.SECOND
    )


def minutes_between(begun: datetime, ended: datetime, *, is_open: bool) -> int:
    """What goes on has begun the minute that it is in. No leg's captions outlast its limit."""
    seconds = int((ended - begun).total_seconds())
    return min(max(0, seconds) // MINUTE + 1 if is_open else max(1, -(-seconds // MINUTE)), MOST_MINUTES + 1)
