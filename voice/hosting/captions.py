"""Settling a group's captions: whether they are on, their language, and whether they are kept."""

from collections.abc import Callable

from django.utils import timezone

from core.transactions import atomic_and_retried
from groups.services import lock_group
from voice.calls import GroupHasChanged, NotEnoughCredit, payer_account, payer_of
from voice.captions.switch import change_captions
from voice.credit.captions import carries_captions
from voice.models import GroupCall
from voice.telephony.interface import telephony


@atomic_and_retried
def settle_captions(
    *,
    group_id: int,
    by: int | None,
    check: Callable[[], None],
    on: bool | None = None,
    language: str | None = None,
    keep: bool | None = None,
) -> GroupCall:
    """What is None stays. Raises Http404, NotEnoughCredit, GroupHasChanged, NotConfigured.

    Locks the payer's account, where captions are turned on, and then the group.
    """
    now = timezone.now()
    account = payer_account(group_id) if on else None
    group = lock_group(group_id)
    check()
    rules = GroupCall.objects.filter(pk=group_id).first() or GroupCall(group=group)
    if on is None and language is None and keep is None:
        return rules
    if on and not rules.captions:
        telephony()
        payer = payer_of(group)
        if (payer and payer.pk) != (account and account.user_id):
            raise GroupHasChanged
        if account and not carries_captions(account, group_id=group_id, now=now):
            raise NotEnoughCredit
    change_captions(rules, by=by, now=now, on=on, language=language, keep=keep)
    return rules
