"""Payments without an account: Stripe's test tokens behave here as they do there.

https://docs.stripe.com/testing
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from django.db import transaction
from django.db.models import Q, QuerySet

from billing.gateway.interface import (
    CardDeclined,
    CustomerGone,
    DisputeReport,
    NoCard,
    Payment,
    PaymentMethod,
    Refund,
    RefundRefused,
    SignatureVerificationError,
    Subject,
    UnknownSource,
    Unread,
    WebhookEvent,
)
from billing.models import SandboxObject


class TestCard(NamedTuple):
    brand: str
    last4: str
    attaches: bool = True
    charge: str = "succeeded"


TEST_CARDS = {
    "visa": TestCard("visa", "4242"),
    "mastercard": TestCard("mastercard", "4444"),
    "amex": TestCard("amex", "8431"),
    "chargeDeclined": TestCard("visa", "0002", attaches=False, charge="declined"),
    "chargeCustomerFail": TestCard("visa", "0341", charge="declined"),
    "authenticationRequired": TestCard("visa", "3184", charge="requires_action"),
}
DECLINED = "Your card was declined."


class SandboxPayments:
    name = "sandbox"
    api_version = ""

    def create_customer(self, *, email: str, name: str, key: str) -> str:
        customer = f"cus_sandbox_{_digest(key)}"
        SandboxObject.objects.get_or_create(pk=customer, defaults={"customer": customer})
        return customer

    @transaction.atomic
    def delete_customer(self, *, customer: str) -> None:
        """The payments stay, and nobody's: they can still be given back."""
        own = SandboxObject.objects.filter(customer=customer)
        if not own.exists():
            raise CustomerGone
        own.filter(Q(pk=customer) | Q(pk__startswith="pm_")).delete()
        own.update(customer="")

    @transaction.atomic
    def attach_card(self, *, customer: str, source: str, key: str = "") -> PaymentMethod:
        known = self._on_file(customer, source)
        if known:
            return _card(known)
        kind = _test_card(source)
        if not TEST_CARDS[kind].attaches:
            raise CardDeclined(DECLINED)
        fields = {"customer": self._customer(customer).pk, "data": {"card": kind}}
        return _card(SandboxObject.objects.get_or_create(pk=f"pm_sandbox_{key or uuid4().hex}", defaults=fields)[0])

    def default_card(self, *, customer: str) -> PaymentMethod | None:
        default = self._customer(customer).data.get("default")
        return _card(SandboxObject.objects.get(pk=default)) if default else None

    @transaction.atomic
    def make_default(self, *, customer: str, card: PaymentMethod) -> None:
        owner = self._customer(customer)
        owner.data["default"] = card.id
        owner.save()

    def charge(self, *, customer: str, source: str, amount_cents: int, top_up: str) -> Payment:
        source = source or self._customer(customer).data.get("default", "")
        if not source:
            raise NoCard
        on_file = self._on_file(customer, source)
        kind = on_file.data["card"] if on_file else _test_card(source)
        outcome = TEST_CARDS[kind].charge
        record, _ = SandboxObject.objects.get_or_create(
            pk=f"pi_sandbox_{_digest(top_up)}",
            defaults={
                "customer": customer,
                "data": {"amount": amount_cents, "status": outcome, "top_up": top_up, "card": kind},
            },
        )
        payment = _payment(record)
        if payment.message:
            raise CardDeclined(payment.message)
        return payment

    def find_payment(self, *, customer: str, top_up: str, since: datetime | None = None) -> Payment | None:
        of_customer = SandboxObject.objects.filter(customer=customer) if customer else SandboxObject.objects.all()
        record = of_customer.filter(pk=f"pi_sandbox_{_digest(top_up)}").first()
        return _payment(record) if record else None

    @transaction.atomic
    def cancel(self, *, payment: str) -> Payment:
        record = _found(SandboxObject.objects.select_for_update(), payment, "pi_")
        if record.data["status"] != "succeeded":
            record.data["status"] = "canceled"
            record.save()
        return _payment(record)

    def retrieve_payment(self, *, payment: str) -> Payment:
        return _payment(_found(SandboxObject.objects.all(), payment, "pi_"))

    @transaction.atomic
    def create_refund(self, *, payment: str, amount_cents: int, key: str) -> Refund:
        paid = SandboxObject.objects.select_for_update().filter(pk=payment, pk__startswith="pi_").first()
        known = SandboxObject.objects.filter(pk=f"re_sandbox_{_digest(key)}").first()
        if known:
            return _refund(known)
        if paid is None or amount_cents > _left(paid):
            raise RefundRefused("This payment has no so much left to give back.")
        data = {"payment": paid.pk, "amount": amount_cents, "request": key}
        return _refund(SandboxObject.objects.create(pk=f"re_sandbox_{_digest(key)}", customer=paid.customer, data=data))

    def refunds(self, *, charge: str) -> list[Refund]:
        """The sandbox's payments have no charges of their own."""
        return [_refund(each) for each in SandboxObject.objects.filter(pk__startswith="re_", data__payment=charge)]

    def retrieve_refund(self, *, refund: str) -> Refund:
        return _refund(_found(SandboxObject.objects.all(), refund, "re_"))

    def retrieve_dispute(self, *, dispute: str) -> DisputeReport:
        raise UnknownSource(f"The sandbox has no dispute {dispute}.")

    def payments_since(self, time: datetime) -> Iterator[Payment]:
        yield from map(_payment, _made_since(time, "pi_"))

    def refunds_since(self, time: datetime) -> Iterator[Refund]:
        yield from map(_refund, _made_since(time, "re_"))

    def disputes_since(self, time: datetime) -> Iterator[DisputeReport]:
        """Nobody disputes play money."""
        yield from ()

    def total_charged(self, *, customer: str) -> int:
        return sum(_left(each) for each in SandboxObject.objects.filter(customer=customer, pk__startswith="pi_"))

    def construct_event(self, *, body: bytes, signature: str) -> WebhookEvent:
        raise SignatureVerificationError(
            "The sandbox sends no webhooks: set SK_TEST and STRIPE_WEBHOOK_SECRET to receive Stripe's."
        )

    def event_from_payload(self, payload: Mapping[str, Any], *, name: str = "") -> WebhookEvent:
        """One that came while payments were real."""
        return WebhookEvent(name or str(payload["id"]), str(payload.get("type")), payload, None)

    def retrieve(self, thing: Unread) -> Subject | None:
        raise UnknownSource(f"The sandbox has no {thing.id}.")

    def _customer(self, customer: str) -> SandboxObject:
        """A customer that another Stripe account knew (old data, tried in the sandbox) is made here on first sight."""
        return SandboxObject.objects.get_or_create(pk=customer, defaults={"customer": customer})[0]

    def _on_file(self, customer: str, source: str) -> SandboxObject | None:
        return SandboxObject.objects.filter(pk=source, customer=customer, pk__startswith="pm_sandbox_").first()


def _digest(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=12).hexdigest()


def _test_card(source: str) -> str:
    """tok_visa and pm_card_visa name the same test card."""
    for prefix in ("tok_", "pm_card_"):
        if source.removeprefix(prefix) in TEST_CARDS and source.startswith(prefix):
            return source.removeprefix(prefix)
    raise UnknownSource(f"The sandbox knows only Stripe's test cards: tok_{', tok_'.join(TEST_CARDS)}.")


def _card(record: SandboxObject) -> PaymentMethod:
    test = TEST_CARDS[record.data["card"]]
    return PaymentMethod(id=record.pk, brand=test.brand, last4=test.last4, exp_month=12, exp_year=2034)


def _made_since(time: datetime, prefix: str) -> QuerySet[SandboxObject]:
    return SandboxObject.objects.filter(pk__startswith=prefix, created_at__gte=time).order_by("-created_at")


def _found(records: QuerySet[SandboxObject], name: str, prefix: str) -> SandboxObject:
    record = records.filter(pk=name, pk__startswith=prefix).first()
    if record is None:
        raise UnknownSource(f"The sandbox has no {name}.")
    return record


def _left(payment: SandboxObject) -> int:
    """What was paid and not given back, in cents."""
    if payment.data["status"] != "succeeded":
        return 0
    given_back = SandboxObject.objects.filter(pk__startswith="re_", data__payment=payment.pk)
    left: int = payment.data["amount"] - sum(each.data["amount"] for each in given_back)
    return left


def _refund(record: SandboxObject) -> Refund:
    made_by = record.data.get("request", "")
    return Refund(record.pk, record.data["payment"], record.data["amount"], "succeeded", request=made_by)


def _payment(record: SandboxObject) -> Payment:
    status, amount = record.data["status"], record.data["amount"]
    return Payment(
        id=record.pk,
        amount_cents=amount,
        currency="usd",
        status="requires_payment_method" if status == "declined" else status,
        client_secret=f"{record.pk}_secret_sandbox" if status == "requires_action" else "",
        message=DECLINED if status == "declined" else "",
        top_up=record.data["top_up"],
        received_cents=amount if status == "succeeded" else 0,
    )
