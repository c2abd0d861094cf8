"""The cut-off: where a payer's balance is used up, their running legs are ended at Twilio. Meant for each minute, for
the time limits that legs got at their start cannot shrink when others join.

Safe to run twice at once: whoever ends a leg claims it first, in one statement. Twilio is never asked inside a
transaction. In our books a leg ends when Twilio tells so, or is asked.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, transaction
from rest_framework.exceptions import APIException

from billing.ledger import lock_account
from billing.models import Account
from voice.credit.call_credit import call_credit
from voice.models import Call
from voice.telephony.interface import telephony

logger = logging.getLogger(__name__)

CLAIM = timedelta(seconds=30)
ENOUGH_FAILURES = 3


@dataclass(slots=True)
class CutOffSummary:
    ended: int = 0
    failed: int = 0


def cut_off(*, now: datetime) -> CutOffSummary:
    """Ends the legs of every payer whose balance is used up. What fails is for the next run; after some, all of it."""
    summary = CutOffSummary()
    for call in legs_to_end(summary, now=now):
        if summary.failed < ENOUGH_FAILURES and claim_leg(call, now=now):
            with counted(summary):
                telephony().end_call(call_sid=call.sid)
                logger.info("Call %s is ended: its payer's balance is used up", call.sid)
                summary.ended += 1
    return summary


def legs_to_end(summary: CutOffSummary, *, now: datetime) -> list[Call]:
    """Those never tried, or tried longest ago, come first."""
    calls: list[Call] = []
    if settings.MIN_CALL_BALANCE:
        for account in Account.objects.filter(pk__in=Call.objects.running().values("payer")):
            with counted(summary):
                calls += legs_beyond_balance(account, now=now)
    return sorted(calls, key=lambda call: (call.cut_off_at is not None, call.cut_off_at, call.pk))


@transaction.atomic
def legs_beyond_balance(account: Account, *, now: datetime) -> list[Call]:
    """The account's running legs where its balance is used up, else none."""
    account = lock_account(account)
    if not call_credit(account, now=now).is_used_up():
        return []
    return list(Call.objects.running().filter(payer=account))


def claim_leg(call: Call, *, now: datetime) -> bool:
    """Whether no other run has it."""
    if call.cut_off_at and call.cut_off_at > now - CLAIM:
        return False
    unclaimed = Call.objects.running().filter(pk=call.pk, cut_off_at=call.cut_off_at)
    return bool(unclaimed.update(cut_off_at=now))


@contextmanager
def counted(summary: CutOffSummary) -> Iterator[None]:
    """Lets a failure inside be, and counts it."""
    try:
        yield
    except (APIException, DatabaseError) as error:
        logger.warning("A call could not be ended: %s", type(error).__name__)
        summary.failed += 1
