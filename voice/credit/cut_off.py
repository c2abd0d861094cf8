"""The cut-off: where a payer's balance is used up, their running legs are ended at Twilio. Meant for each minute, for
the time limits that legs got at their start cannot shrink when others join.

Nothing of it is stored: who has paid until the next run talks on.
"""

from datetime import datetime

from django.conf import settings

from billing.ledger import lock_account
from billing.models import Account
from core.transactions import atomic_and_retried
from voice.credit.call_credit import call_credit
from voice.hang_ups import HangUpSummary, end_legs
from voice.models import Call


def cut_off(*, now: datetime) -> HangUpSummary:
    """Ends the legs of every payer whose balance is used up. What fails is for the next run."""
    summary = HangUpSummary()
    end_legs(legs_to_end(summary, now=now), summary, now=now)
    return summary


def legs_to_end(summary: HangUpSummary, *, now: datetime) -> list[Call]:
    calls: list[Call] = []
    for account in Account.objects.filter(pk__in=Call.objects.running().values("payer")):
        with summary.attempts.one(f"look at the balance of account {account.pk}"):
            calls += legs_beyond_balance(account, now=now)
    return calls


@atomic_and_retried
def legs_beyond_balance(account: Account, *, now: datetime) -> list[Call]:
    """The account's running legs where its balance is used up, else none. Below zero it is in any case."""
    credit = call_credit(lock_account(account), now=now)
    if not credit.is_overdrawn and not (settings.MIN_CALL_BALANCE and credit.is_used_up()):
        return []
    return list(Call.objects.running().filter(payer=account))
