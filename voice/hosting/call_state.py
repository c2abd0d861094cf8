"""How a group's call stands: who is on, and what it costs."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.shortcuts import get_object_or_404

from billing.models import Account
from groups.models import Group
from users.client_identity import CLIENT
from users.models import User
from voice.callers import RefusedCallError
from voice.calls import limit_of, payer_of
from voice.conferences.muted import muted_among
from voice.credit.call_credit import call_credit, our_rate
from voice.credit.limits import CallCredit
from voice.models import Call, GroupCall

USUAL = 2
"""So many people are counted where nobody is on yet."""


@dataclass(frozen=True, slots=True)
class PersonOnCall:
    """Somebody on the call, by however many phones."""

    user_id: int
    display_name: str
    by: str
    """`app` or `phone`: what they joined by first."""
    muted: bool
    """Whether nothing is heard of them, by none of their phones."""
    joined_at: datetime | None


@dataclass(frozen=True, slots=True)
class CallState:
    call_status: bool
    started_at: datetime | None
    """When the conference began that goes on. None where nobody is on."""
    locked: bool
    captions: bool
    price_micros: int
    """What a minute costs its payer, at our own rates."""
    minutes_left: int | None
    """How long the payer's money lasts. None where nobody pays, or calls need no money."""
    participants: list[PersonOnCall]
    unknown_callers: int


def call_state(group_id: int, *, now: datetime) -> CallState:
    """Raises Http404."""
    group = get_object_or_404(Group, pk=group_id)
    on = Call.objects.filter(group_id=group_id, is_on=True).select_related("conference").order_by("start_time", "pk")
    legs = list(on)
    people = people_on(legs, muted_among(on))
    known = {person.user_id for person in people}
    payer = payer_of(group)
    account = Account.objects.filter(user=payer).first() if payer else None
    rules = GroupCall.objects.filter(pk=group_id).first() or GroupCall(pk=group_id)
    each = our_rate() + (int(settings.CAPTION_RATE) if rules.captions else 0)
    return CallState(
        call_status=group.call_status,
        started_at=min((leg.conference.created_at for leg in legs if leg.conference), default=None),
        locked=rules.locked,
        captions=rules.captions,
        price_micros=each * (len(legs) or USUAL) if payer else 0,
        minutes_left=minutes_left(account, on=len(legs), is_captioned=rules.captions, now=now) if payer else None,
        participants=people,
        unknown_callers=sum(leg.user_id not in known for leg in legs),
    )


def people_on(legs: list[Call], muted: set[int]) -> list[PersonOnCall]:
    """Those whom we know, each once, in the order in which they joined."""
    by_person: dict[int, list[Call]] = defaultdict(list)
    for leg in legs:
        if leg.user_id:
            by_person[leg.user_id].append(leg)
    names = dict(User.objects.filter(pk__in=by_person).values_list("pk", "display_name"))
    return [
        PersonOnCall(
            user_id=user_id,
            display_name=names[user_id],
            by="app" if CLIENT in (own[0].caller[: len(CLIENT)], own[0].called[: len(CLIENT)]) else "phone",
            muted=all(leg.pk in muted for leg in own),
            joined_at=own[0].start_time,
        )
        for user_id, own in by_person.items()
        if user_id in names
    ]


def minutes_left(account: Account | None, *, on: int, is_captioned: bool, now: datetime) -> int | None:
    """As of now: at the present number of people, on all calls that the account pays. Where nobody is on, as if two
    were; then none are left where no call could start."""
    if account is None:
        credit = CallCredit(balance=0, legs=(), rate=our_rate(), hold_minutes=settings.HOLD_MINUTES)
    else:
        credit = call_credit(account, now=now)
    if credit.is_overdrawn:
        return 0
    if not (settings.MIN_CALL_BALANCE and credit.rate):
        return None
    if not on and not (account and can_start(account, now=now)):
        return 0
    return credit.minutes_left(more=0 if on else USUAL, is_captioned=is_captioned)


def can_start(account: Account, *, now: datetime) -> bool:
    try:
        limit_of(account, "", now=now)
    except RefusedCallError:
        return False
    return True
