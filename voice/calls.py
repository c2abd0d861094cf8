"""Letting a caller into a group's call."""

from django.conf import settings

from billing.ledger import account_of
from groups.models import Group
from users.models import User
from voice.events import SID
from voice.identity import person_of
from voice.models import Call
from voice.telephony import Conference

FOUR_HOURS = 4 * 3600
CALLBACK_RETRIES = "#rc=5&rp=all"  # https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides


class RefusedCallError(Exception):
    """Why a caller is not let in, in words that are spoken to them."""


def start_call(*, group_id: int, params: dict[str, str]) -> Conference:
    """Stores the leg and says which conference to let it into. Raises RefusedCallError."""
    group = Group.objects.filter(pk=group_id).first()
    if group is None:
        raise RefusedCallError("This group does not exist. Please check your groups and try again.")
    payer = payer_of(group)
    balance = (payer.account_balance_micros or 0) if payer else None
    if balance is not None and balance < settings.MIN_CALL_BALANCE:
        raise RefusedCallError("There is not enough credit for this call. Please ask the group's owner to add money.")
    call = store_call(group, payer, params)
    return Conference(
        group_id=group.pk,
        participant_label=f"leg_{call.pk}" if call else "",
        time_limit=seconds(balance),
        status_callback=f"{settings.PUBLIC_URL}/api/voice/conferenceEvents{CALLBACK_RETRIES}",
    )


def payer_of(group: Group) -> User | None:
    """The longest-standing owner. A group without an owner (open mode) pays nothing and has no limit."""
    ownership = group.ownerships.longest_standing().select_related("user").first()
    return ownership.user if ownership else None


def seconds(balance: int | None) -> int:
    """How long a leg may last: as long as the balance carries it, where calls need a balance; four hours at most."""
    if balance is None or not settings.MIN_CALL_BALANCE:
        return FOUR_HOURS
    rate = settings.CALL_RATE + settings.CONFERENCE_RATE
    return FOUR_HOURS if not rate else max(60, min(FOUR_HOURS, balance // rate * 60))


def store_call(group: Group, payer: User | None, params: dict[str, str]) -> Call | None:
    """The leg's row; the same one when Twilio asks again. None without a CallSid, as when somebody tries it by curl."""
    sid = params.get("CallSid", "")
    if not SID.fullmatch(sid):
        return None
    caller = params.get("From", "")
    user = person_of(caller)
    fields = {
        "group_id": group.pk,
        "user_id": user.pk if user else None,
        "payer": account_of(payer) if payer else None,
        "caller": caller[:255],
        "called": params.get("To", "")[:255],
        "direction": params.get("Direction", "inbound")[:32],
    }
    return Call.objects.get_or_create(sid=sid, defaults=fields)[0]
