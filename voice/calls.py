"""Letting a caller into a group's call, as far as its payer's money carries it (`voice/credit/limits.py`).

Locks: the payer's account, under which a leg is only inserted. Charging locks the leg and then the account, so a leg
that is stored already is changed (`adopt_leg`) once the account is let go.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from billing.disputes import has_open_dispute
from billing.ledger import account_of, lock_account
from billing.models import Account
from groups.models import Group
from users.models import User
from voice.callers import RefusedCallError, who_and_where
from voice.conferences.events import SID, adopt_leg
from voice.credit.call_credit import call_credit
from voice.credit.limits import FOUR_HOURS
from voice.models import Call
from voice.telephony.interface import Dial

CHANGED = "The group has changed at this moment. Please call again."
CALLBACK_RETRIES = "#rc=5&rp=all"  # https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides


def start_call(*, params: dict[str, str]) -> Dial:
    """Stores the leg and says which conference to let it into. `params` are Twilio's. Raises RefusedCallError."""
    caller, group = who_and_where(params)
    now, sid, fields = timezone.now(), params.get("CallSid", ""), leg_fields(caller, group, params)
    check = partial(ask_again, params, fields)
    call, time_limit = let_in(sid, fields, check, now=now)
    if call and not call.caller and call.payer_id is None:  # an event came first, and knew only the sid
        adopt_leg(call, fields, now=now)
        _, time_limit = let_in(sid, fields, check, now=now)  # again, now that others see its hold
    return Dial(
        group_id=group.pk,
        participant_label=f"leg_{call.pk}" if call else "",
        time_limit=time_limit,
        status_callback=f"{settings.PUBLIC_URL}/api/voice/conferenceEvents{CALLBACK_RETRIES}",
    )


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


def ask_again(params: dict[str, str], fields: dict[str, Any]) -> None:
    """Under the lock: the caller may have lost their place, and the payer their group, while it was waited for."""
    now = leg_fields(*who_and_where(params), params)
    if now != fields:
        raise RefusedCallError(CHANGED)


@transaction.atomic
def let_in(sid: str, fields: dict[str, Any], check: Callable[[], None], *, now: datetime) -> tuple[Call | None, int]:
    """The leg's row and its limit in seconds. The account stays locked until the row is in: legs that start at once
    do not get the same money.

    The row is the same one when Twilio asks again. None without a CallSid, as when somebody tries it by curl.
    """
    time_limit = limit_of(fields["payer"], sid, now=now)
    check()
    call = Call.objects.get_or_create(sid=sid, defaults=fields)[0] if SID.fullmatch(sid) else None
    return call, time_limit


def limit_of(account: Account | None, sid: str, *, now: datetime) -> int:
    """How many seconds the leg may last: four hours where nobody pays, or where calls need no balance."""
    if account is None:
        return FOUR_HOURS
    if has_open_dispute(account):
        raise RefusedCallError(
            "A payment of this group's owner is disputed. Calls can start again when that is settled."
        )
    if not settings.MIN_CALL_BALANCE:
        return FOUR_HOURS
    credit = call_credit(lock_account(account), now=now, without=sid)
    if credit.money < max(settings.MIN_CALL_BALANCE, credit.hold):
        raise RefusedCallError("There is not enough credit for this call. Please ask the group's owner to add money.")
    if credit.free < credit.hold:
        raise RefusedCallError(
            "The money that is left is held by calls that are running. "
            "Please call again when one has ended, or ask the group's owner to add money."
        )
    return credit.time_limit()
