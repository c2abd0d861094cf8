"""Who talks hears some two minutes before that their call ends: by its time limit, or by its payer's money. Meant for
each minute, behind the cut-off.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from billing.models import Account
from core.attempts import Attempts
from voice.announcements import LIMIT, MONEY, address_of
from voice.credit.call_credit import call_credit
from voice.models import Call
from voice.telephony.interface import telephony

logger = logging.getLogger(__name__)

AHEAD = timedelta(minutes=3)
"""Before a leg's limit: the next run comes when two minutes are left."""
LAST_MINUTES = 2
"""So many minutes after a run that finds no more money than for these the cut-off finds none."""
MOST_AT_ONCE = 500


def warn_of_ends(*, now: datetime) -> int:
    """Each leg once; how many could not be warned. These are tried again by the next run."""
    attempts = Attempts()
    for name, legs in (*legs_without_money(now), (LIMIT, legs_at_their_limit(now))):
        for call in legs.select_related("conference").order_by("pk")[:MOST_AT_ONCE]:
            if attempts.is_over:
                return attempts.failed
            with attempts.one(f"warn call {call.sid}"):
                warn(call, name, now=now)
    return attempts.failed


def unwarned() -> QuerySet[Call]:
    """Who is in the menu hears it once they are back, and who wants no warnings not at all."""
    on = Call.objects.running().filter(is_on=True, out_since=None, wants_no_warnings=False)
    return on.filter(warned_at=None)


def legs_at_their_limit(now: datetime) -> QuerySet[Call]:
    return unwarned().filter(ends_at__gt=now, ends_at__lte=now + AHEAD)


def legs_without_money(now: datetime) -> Iterator[tuple[str, QuerySet[Call]]]:
    """Of each payer whose money lasts no longer. Where calls need none it ends them without a warning, below zero."""
    if not settings.MIN_CALL_BALANCE:
        return
    for account in Account.objects.filter(pk__in=unwarned().values("payer")):
        credit = call_credit(account, now=now)
        if credit.each_minute and credit.minutes_left() <= LAST_MINUTES:
            yield MONEY, unwarned().filter(payer=account)


def warn(call: Call, name: str, *, now: datetime) -> None:
    """One run alone does it."""
    if not unwarned().filter(pk=call.pk).update(warned_at=now):
        return
    try:
        url = address_of(name, group_id=call.group_id)
        is_known = telephony().announce(conference_sid=call.conference_id or "", call_sid=call.sid, url=url)
    except Exception:
        Call.objects.filter(pk=call.pk).update(warned_at=None)
        raise
    if not is_known:
        logger.warning("Call %s could not be warned of its end", call.sid)
