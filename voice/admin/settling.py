"""The form that settles a call whose price does not come."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from billing.admin import AdjustmentForm, exact_dollars
from billing.models import Account
from core.transactions import atomic_and_retried
from core.wire import MICROS_PER_DOLLAR
from voice.conferences.doubts import LONGEST_LEG, close_call
from voice.credit.call_credit import at_our_rates
from voice.credit.charges import settle_by_staff
from voice.models import Call

RUNNING = "This call may still be running. It can be settled once it has ended, or its time limit is over."


def may_be_settled(call: Call, *, now: datetime) -> bool:
    is_open = call.payer_id is not None and call.price_micros is None and call.settled_by != Call.SettledBy.STAFF
    return is_open and must_have_ended(call, now=now)


def must_have_ended(call: Call, *, now: datetime) -> bool:
    return call.end_time is not None or now >= call.created_at + LONGEST_LEG


def about(call: Call) -> str:
    """What there is to decide by."""
    told = f" Twilio's price is {call.price_told} {call.price_unit}." if call.price_told else ""
    told += f" Twilio has told {call.duration_told!r}, which cannot be." if call.duration_told else ""
    charged = f" Charged so far: {exact_dollars(call.charged_micros)}." if call.charged_micros else ""
    return f"{call.minutes} started minutes, at our own rates {exact_dollars(at_our_rates(call))}.{told}{charged}"


class SettlingForm(AdjustmentForm):
    button = "Settle"
    amount = forms.DecimalField(
        max_digits=9, decimal_places=6, min_value=Decimal(0), help_text="Dollars, in all; 0 charges nothing."
    )

    def __init__(self, call: Call, data: Any = None) -> None:
        super().__init__(cast("Account", call.payer), data)
        self.original = self.call = call
        self.about = about(call)

    def just_done(self) -> list[str]:
        return []

    def same(self) -> str | None:
        return None  # a call is settled once, however often it is asked for

    def clean_amount(self) -> int:
        """In micro-dollars."""
        return int(self.cleaned_data["amount"] * MICROS_PER_DOLLAR)

    def save(self, *, log: Callable[[str], None]) -> str:
        """Closing it comes first and by itself: it locks people, and the account is locked before them."""
        now = timezone.now()
        if not must_have_ended(self.call, now=now):
            raise ValidationError(RUNNING)
        if self.call.end_time is None:
            close_call(self.call, now=now)
        return self.settle(log)

    @atomic_and_retried
    def settle(self, log: Callable[[str], None]) -> str:
        micros, reason = self.cleaned_data["amount"], self.cleaned_data["reason"]
        settle_by_staff(self.call, micros, reason=reason)
        log(f"Settled by {exact_dollars(micros)} in all: {reason}")
        return f"Settled by {exact_dollars(micros)} in all. Twilio's price changes it no more."
