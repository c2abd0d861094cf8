"""How far the money carries captions: whether they may go on, and that they go off, said before, where it is short.
Meant for each minute, before who talks is warned of the end: without captions the call lasts longer.
"""

from datetime import datetime, timedelta

from django.conf import settings

from billing.ledger import lock_account
from billing.models import Account
from core.attempts import Attempts
from core.transactions import atomic_and_retried
from groups.models import Group
from voice.announcements import CAPTIONS_END
from voice.captions import lines
from voice.captions.legs import announce_to_all, on_the_line, turn_off
from voice.credit.call_credit import call_credit
from voice.credit.warnings import LAST_MINUTES
from voice.models import Call, GroupCall

SAID_AT = LAST_MINUTES + 2
"""So many minutes before the money is used up people hear that captions end."""
OFF_AT = LAST_MINUTES + 1
"""Then they go off: before anybody is warned that the call itself ends."""
BETWEEN = timedelta(seconds=45)


def carries_captions(account: Account, *, group_id: int, now: datetime) -> bool:
    """Whether the money covers what captions of all who are on hold, beside all else. The account is locked."""
    credit = call_credit(account, now=now)
    if credit.is_overdrawn:
        return False
    if not settings.MIN_CALL_BALANCE:
        return True
    legs = on_the_line(group_id).filter(payer=account).count()
    return credit.free >= legs * credit.hold_minutes * credit.caption_rate


def end_captions_without_money(*, now: datetime) -> int:
    """Where calls need no money captions need none. How many groups could not be seen to."""
    attempts = Attempts()
    on = GroupCall.objects.filter(captions=True).values("pk")
    captioned = Call.objects.running().filter(group_id__in=on, payer__isnull=False)
    for payer, group_id in sorted(set(captioned.values_list("payer", "group_id"))):
        if settings.MIN_CALL_BALANCE:
            with attempts.one(f"look at the captions of group {group_id}"):
                see_to(payer or 0, group_id or 0, now=now)
    return attempts.failed


@atomic_and_retried
def see_to(payer: int, group_id: int, *, now: datetime) -> None:
    """Locks the account, and then the group."""
    credit = call_credit(lock_account(Account.objects.get(pk=payer)), now=now)
    if not credit.caption_rate or credit.minutes_left() > SAID_AT:
        return
    group = Group.objects.select_for_update(no_key=True).filter(pk=group_id).first()
    rules = GroupCall.objects.with_captions(group_id)
    if group is None or rules is None:
        return
    if rules.captions_warned_at is None:
        rules.captions_warned_at = now
        rules.save(update_fields=["captions_warned_at"])
        announce_to_all(group_id, CAPTIONS_END)
    elif credit.minutes_left() <= OFF_AT and rules.captions_warned_at <= now - BETWEEN:
        by = rules.captions_by
        turn_off(rules, now=now)
        lines.say(group_id, by, lines.NO_MONEY)
