"""Disputed payments, by the money that they move: https://docs.stripe.com/disputes/how-disputes-work"""

import logging
from dataclasses import replace

from billing.gateway.interface import CURRENCY, DisputeReport
from billing.ledger import entry_of_payment, lock_account, post_entry
from billing.models import Account, Dispute, LedgerEntry
from billing.notices import NOT_OURS, in_other_currency
from core.transactions import atomic_and_retried
from core.wire import MICROS_PER_CENT

logger = logging.getLogger(__name__)

SETTLED = ("won", "lost", "prevented", "warning_closed")
INQUIRY = "warning_"


@atomic_and_retried
def apply_dispute(dispute: DisputeReport) -> str:
    """Posts what the dispute has moved so far, each movement once, and notes where it stands.

    Says why nothing was posted, where that is so.
    """
    entry = entry_of_payment(dispute.payment)
    if entry is None:
        logger.warning("Stripe dispute %s is of no payment of ours", dispute.id)
        return NOT_OURS
    account = lock_account(entry.account)
    if dispute.currency != CURRENCY:
        note(replace(dispute, amount_cents=entry.amount_micros // MICROS_PER_CENT), account)
        return in_other_currency("dispute", dispute.id, dispute.currency)
    post_movements(dispute, account, when=f"{entry.created_at:%Y-%m-%d}")
    note(dispute, account)
    return ""


def post_movements(dispute: DisputeReport, account: Account, *, when: str) -> None:
    if dispute.withdrawn_cents:
        post_entry(
            account=account,
            kind=LedgerEntry.Kind.DISPUTE,
            amount_micros=-dispute.withdrawn_cents * MICROS_PER_CENT,
            reference=f"stripe:{dispute.id}",
            memo=f"The card's owner disputes the money added on {when}",
        )
    if dispute.reinstated_cents:
        post_entry(
            account=account,
            kind=LedgerEntry.Kind.DISPUTE_WON,
            amount_micros=dispute.reinstated_cents * MICROS_PER_CENT,
            reference=f"stripe:{dispute.id}:won",
            memo=f"The dispute about the money added on {when} was won",
        )


def note(dispute: DisputeReport, account: Account) -> None:
    """Where it stands. Once settled it stays so, for events come late. An inquiry is no dispute yet."""
    fields = {"account": account, "payment": dispute.payment, "amount_cents": dispute.amount_cents}
    settled = dispute.status in SETTLED
    if dispute.status.startswith(INQUIRY) and not Dispute.objects.filter(pk=dispute.id).exists():
        return
    row, _ = Dispute.objects.get_or_create(pk=dispute.id, defaults={**fields, "status": dispute.status})
    if not row.settled:
        row.status, row.settled = dispute.status, settled
        row.save(update_fields=["status", "settled"])


def has_open_dispute(account: Account) -> bool:
    return account.disputes.open().exists()
