"""Letting a caller into a group's call, as far as its payer's money carries it (`voice/credit/limits.py`).

Whoever is refused holds no money: the leg's row, or its payer, is written under the lock of the account that was found
to carry it, and not before.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.exceptions import APIException

from billing.disputes import has_open_dispute
from billing.ledger import account_of, lock_account
from billing.models import Account
from core.transactions import atomic_and_retried
from groups.models import Group
from users.models import User
from voice.callers import RefusedCallError, who_and_where
from voice.captions.asking import captions_for
from voice.conferences.events import adopt_leg
from voice.credit.call_credit import call_credit
from voice.credit.limits import FOUR_HOURS
from voice.entering import Entry, end_of, is_telephone
from voice.hang_ups import hang_up
from voice.languages import language_of
from voice.models import Call, GroupCall, HangUp
from voice.sentences import (
    CAPTIONS_ON,
    CHANGED,
    DISPUTED,
    ENDED,
    LOCKED,
    MONEY_HELD,
    NO_CREDIT,
    PAYER_GONE,
    spoken,
)
from voice.telephony.fields import SID
from voice.telephony.interface import Dial, Say

Find = Callable[[dict[str, str]], tuple[User | None, Group]]
"""Says who calls which group, by what Twilio writes of a caller. Raises RefusedCallError."""


def admit(*, params: dict[str, str], find: Find = who_and_where, language: str = "", times: int = 1) -> Dial | Say:
    """What becomes of a caller whom nobody needs to ask anything: let in, or told why not. All doors decide it here.

    What they are told is in the language, and so often.
    """
    try:
        return start_call(params=params, find=find)
    except RefusedCallError as refusal:
        return Say((spoken(str(refusal), language),), language, times)


def start_call(*, params: dict[str, str], find: Find = who_and_where) -> Dial:
    """Stores the leg and says which conference to let it into. `params` are Twilio's. Raises RefusedCallError."""
    sid = params.get("CallSid", "")
    refuse_ended(Call.objects.known(), sid)
    caller, group = find(params)
    now, fields = timezone.now(), leg_fields(caller, group, params)
    check = partial(ask_again, find, params, fields)
    try:
        call, time_limit = let_in(sid, fields, check, now=now)
        if call and call.is_nobodys:
            time_limit = let_in_late(call, fields, check, now=now)
    except RefusedCallError:  # who is on all the same would talk at nobody's cost
        hang_up(Call.objects.filter(sid=sid, is_on=True, caller="", user_id=None, payer=None), why=HangUp.Why.NO_CREDIT)
        raise
    refuse_ended(Call.objects.all(), sid)
    ends_at, has_menu = end_of(now, time_limit), is_telephone(fields["caller"], fields["called"])
    if call:
        Call.objects.filter(pk=call.pk).update(ends_at=ends_at, entry=int(has_menu))
    captions, words = captions_for(group.pk) if call else None, language_of([group.pk])
    language = language_of([group.pk], dialled=fields["called"]) if has_menu else words
    entry = Entry(sid, call.pk if call else 0, group.pk, int(ends_at.timestamp()), language if has_menu else "")
    greeting = (spoken(CAPTIONS_ON, language),) if captions else ()
    dial = entry.dial(now=now, has_menu=has_menu, greeting=greeting)
    return replace(dial, time_limit=time_limit, language=language if greeting else "", captions=captions)


def payer_of(group: Group) -> User | None:
    """The longest-standing owner. A group without an owner (open mode) pays nothing and has no limit."""
    ownership = group.ownerships.longest_standing().select_related("user__account").first()
    return ownership.user if ownership else None


def leg_fields(caller: User | None, group: Group, params: dict[str, str]) -> dict[str, Any]:
    payer = payer_of(group)
    return {
        "group_id": group.pk,
        "user_id": caller.pk if caller else None,
        "payer": account_of(payer) if payer else None,
        "caller": params.get("From", "")[:255],
        "called": params.get("To", "")[:255],
        "direction": params.get("Direction", "inbound")[:32],
    }


def ask_again(find: Find, params: dict[str, str], fields: dict[str, Any]) -> None:
    """Under the lock: the caller may have lost their place, and the payer their group, while it was waited for."""
    now = leg_fields(*find(params), params)
    if now != fields:
        raise RefusedCallError(CHANGED)


def refuse_ended(calls: QuerySet[Call], sid: str) -> None:
    """A request that is sent again after its call has ended would put nobody anywhere, and must not look as if it did.

    What was taken to have ended without a word of Twilio's may go on.
    """
    told = (Call.EndSource.EVENT, Call.EndSource.ANSWER)
    if sid and calls.filter(sid=sid, end_time__isnull=False, end_source__in=told).exists():
        raise RefusedCallError(ENDED)


def refuse_locked(group_id: int, sid: str) -> None:
    """Whose phone was let in before, and has not hung up, is let in again: Twilio repeats its question."""
    let_in_before = Call.objects.running().known().exclude(pk__in=Call.objects.rung().values("pk"))
    if GroupCall.objects.is_locked(group_id) and not let_in_before.filter(sid=sid).exists():
        raise RefusedCallError(LOCKED)


@atomic_and_retried
def let_in(sid: str, fields: dict[str, Any], check: Callable[[], None], *, now: datetime) -> tuple[Call | None, int]:
    """The leg's row and its limit in seconds. The account stays locked until the row is in: legs that start at once
    do not get the same money.

    The row is the same one when Twilio asks again. None without a CallSid, as when somebody tries it by curl.
    """
    account = lock_payer(fields["payer"])
    refuse_locked(fields["group_id"], sid)
    time_limit = limit_of(account, sid, now=now, captions=has_captions(fields))
    check()
    call = Call.objects.get_or_create(sid=sid, defaults=fields)[0] if SID.fullmatch(sid) else None
    return call, time_limit


def let_in_late(call: Call, fields: dict[str, Any], check: Callable[[], None], *, now: datetime) -> int:
    """Makes a leg the caller's whose events came before its makeCall; its limit in seconds. One that the money does not
    carry stays nobody's.
    """
    limits: list[int] = []

    def carry(row: Call) -> None:
        limits.append(limit_of(lock_payer(fields["payer"]), row.sid, now=now, captions=has_captions(fields)))
        check()

    adopt_leg(call, fields, check=carry, now=now)
    return limits[-1]


def lock_payer(account: Account | None) -> Account | None:
    """Refuses where the payer went in between: nobody would pay."""
    if account is None:
        return None
    account = lock_account(account)
    if account.user_id is None:
        raise RefusedCallError(PAYER_GONE)
    return account


class NotEnoughCredit(APIException):
    status_code = 402
    default_code = "not_enough_credit"
    default_detail = "There is not enough credit for this. The group's owner can add money."


class GroupHasChanged(APIException):
    status_code = 409
    default_code = "changed"
    default_detail = "The group's owner has changed at this moment. Try again."


def payer_account(group_id: int) -> Account | None:
    """The account of the group's payer, locked: accounts are before groups. Raises GroupHasChanged."""
    group = Group.objects.filter(pk=group_id).first()
    payer = payer_of(group) if group else None
    try:
        return lock_payer(account_of(payer)) if payer else None
    except RefusedCallError:
        raise GroupHasChanged from None


def has_captions(fields: dict[str, Any]) -> bool:
    return GroupCall.objects.with_captions(fields["group_id"]) is not None


def limit_of(account: Account | None, sid: str, *, now: datetime, captions: bool = False) -> int:
    """How many seconds the leg may last: four hours where nobody pays, or where calls need no balance.

    None starts on a balance below zero, whatever calls need: it would be cut off at once. The account is locked.
    """
    if account is None:
        return FOUR_HOURS
    if has_open_dispute(account):
        raise RefusedCallError(DISPUTED)
    credit = call_credit(account, now=now, without=sid)
    if credit.is_overdrawn:
        raise RefusedCallError(NO_CREDIT)
    if not settings.MIN_CALL_BALANCE:
        return FOUR_HOURS
    hold = credit.hold(captions=captions)
    if credit.money < max(settings.MIN_CALL_BALANCE, hold):
        raise RefusedCallError(NO_CREDIT)
    if credit.free < hold:
        raise RefusedCallError(MONEY_HELD)
    return credit.time_limit(captions=captions)
