"""The operators' view of the money. All of it is read-only: money moves through the ledger's services alone.

Two forms on an account's page call these services: one adjusts the balance, one gives money back to a card.
"""

from billing.admin.accounts import AccountAdmin, show_on_account
from billing.admin.actions import MoneyPages
from billing.admin.columns import dollars_column, exact_dollars, owner_link, readable
from billing.admin.forms import AdjustmentForm
from billing.admin.movements import DisputeAdmin, LedgerEntryAdmin, PaymentNoticeAdmin, StripeEventAdmin, TopUpAdmin
from billing.admin.overview import money
from billing.admin.story import movements

__all__ = (
    "AccountAdmin",
    "AdjustmentForm",
    "DisputeAdmin",
    "LedgerEntryAdmin",
    "MoneyPages",
    "PaymentNoticeAdmin",
    "StripeEventAdmin",
    "TopUpAdmin",
    "dollars_column",
    "exact_dollars",
    "money",
    "movements",
    "owner_link",
    "readable",
    "show_on_account",
)
