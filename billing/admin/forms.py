"""What the operators' forms ask for, and the services that they call."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.signing import BadSignature, TimestampSigner
from django.db.models import Model, QuerySet
from django.utils import timezone
from rest_framework.exceptions import APIException, ValidationError

from billing.admin.columns import exact_dollars
from billing.gateway.interface import PaymentsMisconfigured, PaymentsUnavailable
from billing.ledger import adjust
from billing.models import Account, LedgerEntry, RefundRequest, TopUp
from billing.refunds import SENT_BEFORE, refund, refundable_micros
from core.transactions import atomic_and_retried
from core.wire import MICROS_PER_CENT, MICROS_PER_DOLLAR, is_visible
from users.erasing import names_of, without

OPEN_FOR = timedelta(hours=12)
"""Stripe forgets a refund's key after a day: sent then, the same form would give back once more."""
TOO_OLD = "This form was opened too long ago. Open it again from the account's page."

JUST_NOW = timedelta(minutes=10)
"""So long the same once more is asked about: a browser's Back brings a form that counts anew, with what was written."""
ONCE_MORE = "once_more"
AGAIN = "{} Is it to be done once more? Then tick the box."


class SameAgain(APIException):
    """The same amount for the same payment or account, within ten minutes, and not ticked."""

    status_code = 409
    default_code = "again"


signer = TimestampSigner(salt="billing.admin.forms")


class MoneyForm(forms.Form):
    """A form that counts once, however often it is sent: its key is made when it is opened."""

    shown: ClassVar[list[str]] = []
    button: ClassVar[str] = ""
    key = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, account: Account, data: Any = None) -> None:
        super().__init__(data, initial={"key": signer.sign(str(uuid4()))})
        self.account = account
        self.original: Model = account
        """The row on whose page it is."""
        self.about = ""
        """What is said above its fields."""

    def clean(self) -> None:
        try:
            self.cleaned_data["key"] = signer.unsign(self.cleaned_data.get("key", ""), max_age=OPEN_FOR)
        except BadSignature:
            raise forms.ValidationError(TOO_OLD) from None

    def ask_once(self) -> None:
        """For the account's lock: of two operators who do the same at once one is asked. Raises SameAgain."""
        if (told := self.same()) and not self.data.get(ONCE_MORE):
            raise SameAgain(AGAIN.format(told))

    def refuse(self, error: APIException) -> None:
        """Shows why nothing was done; with a tick where the same is asked about."""
        if isinstance(error, SameAgain):
            self.fields[ONCE_MORE] = forms.BooleanField(label="Once more", required=False)
            self.shown = [*self.shown, ONCE_MORE]  # type: ignore[misc]  # this form's alone
        reasons = error.detail if isinstance(error.detail, list) else [error.detail]
        self.add_error(None, [str(reason) for reason in reasons])

    def just_done(self) -> list[str]:
        """In sentences: what such forms have done here in the last ten minutes, the newest first."""
        return []

    def same(self) -> str | None:
        """Such a sentence where this form would do the same once more. Not where it is itself sent once more."""
        return None

    def who_and_when(self, key: str, when: datetime) -> str:
        minutes = int((timezone.now() - when).total_seconds() // 60)
        ago = {0: "less than a minute ago", 1: "a minute ago"}.get(minutes, f"{minutes} minutes ago")
        written = LogEntry.objects.filter(object_id=str(self.account.pk), change_message__contains=key)
        entry = written.select_related("user").first()
        return f"{ago} by {entry.user}" if entry else ago

    def save(self, *, log: Callable[[str], None]) -> str:
        """Does it, and says what was done. Raises REST framework's errors where the services refuse it."""
        raise NotImplementedError


class AdjustmentForm(MoneyForm):
    shown = ["amount", "reason"]
    button = "Adjust"
    amount = forms.DecimalField(
        max_digits=9, decimal_places=2, help_text="Dollars. A negative amount, such as -2.50, takes money away."
    )
    reason = forms.CharField(
        max_length=LedgerEntry._meta.get_field("memo").max_length,
        widget=AdminTextInputWidget,
        help_text="The person reads it in their statement. It stays in the books for good: name nobody in it.",
    )

    def clean_amount(self) -> int:
        """In micro-dollars."""
        amount: Decimal = self.cleaned_data["amount"]
        if not amount:
            raise forms.ValidationError("Choose another amount than zero.")
        return int(amount * MICROS_PER_DOLLAR)

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"]
        if not is_visible(reason):
            raise forms.ValidationError("Write at least one visible character.")
        user = self.account.user
        if user and without(names_of(user, {user.pk}))(reason) != reason:
            raise forms.ValidationError("Leave out who it is: the books outlive the person, and never change.")
        return reason

    def newest(self) -> QuerySet[LedgerEntry]:
        since = timezone.now() - JUST_NOW
        entries = self.account.entries.filter(kind=LedgerEntry.Kind.ADJUSTMENT, created_at__gte=since)
        return entries.order_by("-id")

    def told(self, entry: LedgerEntry) -> str:
        return (
            f"The balance was adjusted by {exact_dollars(entry.amount_micros)} "
            f"{self.who_and_when(entry.reference, entry.created_at)}: {entry.memo}"
        ).rstrip(".") + "."

    def just_done(self) -> list[str]:
        return [self.told(entry) for entry in self.newest()]

    def same(self) -> str | None:
        others = self.newest().exclude(reference=f"adjustment:{self.cleaned_data['key']}")
        twin = others.filter(amount_micros=self.cleaned_data["amount"]).first()
        return self.told(twin) if twin else None

    @atomic_and_retried
    def save(self, *, log: Callable[[str], None]) -> str:
        micros, reason = self.cleaned_data["amount"], self.cleaned_data["reason"]
        reference = f"adjustment:{self.cleaned_data['key']}"
        entry = adjust(
            account=self.account, amount_micros=micros, reference=reference, memo=reason, check=self.ask_once
        )
        if (entry.account_id, entry.amount_micros, entry.memo) != (self.account.pk, micros, reason):
            raise ValidationError(SENT_BEFORE)
        log(f"Adjusted the balance by {exact_dollars(micros)}: {reason} ({reference})")
        return f"Adjusted by {exact_dollars(micros)}. The balance is {exact_dollars(entry.balance_after_micros)}."


class PaymentField(forms.ModelChoiceField[TopUp]):
    def label_from_instance(self, top_up: Any) -> str:
        return f"{top_up.created_at:%Y-%m-%d %H:%M} UTC: {money(top_up.brought_cents)} by {top_up.payment}"


class RefundForm(MoneyForm):
    shown = ["top_up", "amount"]
    button = "Give back"
    top_up = PaymentField(TopUp.objects.none(), label="Payment", help_text="It goes back to the card that paid it.")
    amount = forms.DecimalField(
        max_digits=9, decimal_places=2, min_value=Decimal("0.01"), help_text="Dollars, up to the payment and balance."
    )

    def __init__(self, account: Account, data: Any = None) -> None:
        super().__init__(account, data)
        self.payments = account.top_ups.filter(status=TopUp.Status.SUCCEEDED).select_related("account", "entry")
        self.fields["top_up"].queryset = self.payments  # type: ignore[attr-defined]  # a choice field's

    def newest(self) -> QuerySet[RefundRequest]:
        requests = RefundRequest.objects.filter(top_up__account=self.account, created_at__gte=timezone.now() - JUST_NOW)
        return requests.exclude(status=RefundRequest.Status.REFUSED).select_related("top_up").order_by("-created_at")

    def told(self, request: RefundRequest) -> str:
        what = f"{money(request.amount_cents)} of {request.top_up.payment}"
        done = "was given back" if request.status == RefundRequest.Status.MADE else "was asked to be given back"
        return f"{what} {done} {self.who_and_when(request.pk, request.created_at)}."

    def just_done(self) -> list[str]:
        return [self.told(request) for request in self.newest()]

    def same(self) -> str | None:
        others = self.newest().exclude(pk=self.cleaned_data["key"])
        twin = others.filter(top_up=self.cleaned_data["top_up"], amount_cents=self.cleaned_data["amount"]).first()
        return self.told(twin) if twin else None

    @property
    def was_asked(self) -> bool:
        """Whether it was sent before: what it asked for is reserved, and the service says what counts."""
        key = str(self.data.get("key", "")).partition(":")[0]
        return RefundRequest.objects.filter(pk=key).exclude(status=RefundRequest.Status.REFUSED).exists()

    def clean_amount(self) -> int:
        """In cents."""
        cents = int(self.cleaned_data["amount"] * 100)
        free = refundable_micros(self.account)
        if cents * MICROS_PER_CENT > free and not self.was_asked:
            raise forms.ValidationError(
                "No more can go back than is free of the balance, held neither by calls nor by other refunds, "
                f"which is {exact_dollars(free)} now."
            )
        if (top_up := self.cleaned_data.get("top_up")) and cents > top_up.brought_cents:
            raise forms.ValidationError(f"No more than this payment can go back: {money(top_up.brought_cents)}.")
        return cents

    def save(self, *, log: Callable[[str], None]) -> str:
        """Written down before Stripe is asked: an answer that is lost must not hide who asked."""
        top_up, cents, key = (self.cleaned_data[name] for name in ("top_up", "amount", "key"))

        def check() -> None:
            self.ask_once()
            log(f"Asked for {money(cents)} of {top_up.payment} to be given back ({key})")

        try:
            made = refund(top_up=top_up, amount_cents=cents, key=key, check=check)
        except PaymentsMisconfigured:
            raise  # an answer: nothing was done
        except PaymentsUnavailable:
            self.hold(top_up)
            raise
        if made.came_back:
            raise ValidationError("The card did not take it, and the money came back to the balance.")
        return f"Gave back {money(cents)} of {top_up.payment}: {made.id}."

    def hold(self, top_up: TopUp) -> None:
        """Without an answer nobody knows whether it was done: only the same may be sent again, which does it once."""
        choice = self.fields["top_up"]
        choice.queryset, choice.empty_label = self.payments.filter(pk=top_up.pk), None  # type: ignore[attr-defined]
        self.fields["amount"].widget.attrs["readonly"] = True


def money(cents: int) -> str | None:
    return exact_dollars(cents * MICROS_PER_CENT)
