"""Letting a caller into a group's call."""

from django.conf import settings
from django.utils import timezone

from billing.ledger import account_of
from groups.models import Group
from users.models import User
from voice.events import SID, adopt_leg, number
from voice.identity import person_of, phone_digits
from voice.models import Call
from voice.telephony import Conference

FOUR_HOURS = 4 * 3600
CALLBACK_RETRIES = "#rc=5&rp=all"  # https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides


class RefusedCallError(Exception):
    """Why a caller is not let in, in words that are spoken to them."""


def start_call(*, params: dict[str, str]) -> Conference:
    """Stores the leg and says which conference to let it into. `params` are Twilio's. Raises RefusedCallError."""
    caller, group = who_and_where(params)
    payer = payer_of(group)
    balance = (payer.account_balance_micros or 0) if payer else None
    if balance is not None and balance < settings.MIN_CALL_BALANCE:
        raise RefusedCallError("There is not enough credit for this call. Please ask the group's owner to add money.")
    call = store_call(group, caller, payer, params)
    return Conference(
        group_id=group.pk,
        participant_label=f"leg_{call.pk}" if call else "",
        time_limit=seconds(balance),
        status_callback=f"{settings.PUBLIC_URL}/api/voice/conferenceEvents{CALLBACK_RETRIES}",
    )


def who_and_where(params: dict[str, str]) -> tuple[User | None, Group]:
    """Who calls which group: an app names it by `to`, a phone by the number that was dialled."""
    phone = phone_digits(params.get("From", ""))
    if phone and not params.get("to"):
        return phone_caller(phone, params.get("To", ""))
    group = Group.objects.filter(pk=group_id(params.get("to", ""))).first()
    if group is None:
        raise RefusedCallError("This group does not exist. Please check your groups and try again.")
    caller = person_of(params.get("From", ""))
    if not settings.OPEN_MODE and (caller is None or not Group.objects.of_person(caller).contains(group)):
        raise RefusedCallError("You are not a member of this group. Please ask its owner to invite you.")
    return caller, group


def phone_caller(phone: str, dialled: str) -> tuple[User, Group]:
    """A phone is let in where its number is that of somebody in the group that has the dialled number."""
    numbers = (dialled, dialled.removeprefix("+"))
    groups = Group.objects.filter(phone_number__in=numbers).order_by("pk")
    if not groups.exists():
        raise RefusedCallError("No group has this number. Please check it and call again.")
    for caller in User.objects.filter(phone_number=int(phone)).order_by("pk"):
        if group := groups.of_person(caller).first():
            return caller, group
    raise RefusedCallError("Your number is not on the list of this group. Please ask its owner to add you.")


def group_id(to: str) -> int:
    if not to:
        raise RefusedCallError("No group detected.")
    found = number(to)
    if found is None:
        raise RefusedCallError("This is not a group. Please check the number and try again.")
    return found


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


def store_call(group: Group, caller: User | None, payer: User | None, params: dict[str, str]) -> Call | None:
    """The leg's row; the same one when Twilio asks again. None without a CallSid, as when somebody tries it by curl."""
    sid = params.get("CallSid", "")
    if not SID.fullmatch(sid):
        return None
    fields = {
        "group_id": group.pk,
        "user_id": caller.pk if caller else None,
        "payer": account_of(payer) if payer else None,
        "caller": params.get("From", "")[:255],
        "called": params.get("To", "")[:255],
        "direction": params.get("Direction", "inbound")[:32],
    }
    call, is_new = Call.objects.get_or_create(sid=sid, defaults=fields)
    if not is_new and not call.caller and call.payer is None:  # an event came first, and knew only the sid
        adopt_leg(call, fields, now=timezone.now())
    return call
