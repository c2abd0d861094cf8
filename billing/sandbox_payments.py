"""Payments without an account: Stripe's test tokens behave here as they do there.

https://docs.stripe.com/testing
"""

import hashlib
from typing import NamedTuple
from uuid import uuid4

from django.db import transaction

from billing.models import SandboxObject
from billing.payments import Card, CardDeclined, Event, ForgedEvent, NoCard, Payment, UnknownSource


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

    def open_customer(self, *, email: str, name: str, key: str) -> str:
        customer = f"cus_sandbox_{_digest(key)}"
        SandboxObject.objects.get_or_create(pk=customer, defaults={"customer": customer})
        return customer

    @transaction.atomic
    def attach_card(self, *, customer: str, source: str) -> Card:
        known = self._on_file(customer, source)
        if known:
            return _card(known)
        kind = _test_card(source)
        if not TEST_CARDS[kind].attaches:
            raise CardDeclined(DECLINED)
        card = SandboxObject.objects.create(
            pk=f"pm_sandbox_{uuid4().hex}", customer=self._customer(customer).pk, data={"card": kind}
        )
        return _card(card)

    def default_card(self, *, customer: str) -> Card | None:
        default = self._customer(customer).data.get("default")
        return _card(SandboxObject.objects.get(pk=default)) if default else None

    @transaction.atomic
    def make_default(self, *, customer: str, card: Card) -> None:
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

    def find_payment(self, *, customer: str, top_up: str) -> Payment | None:
        record = SandboxObject.objects.filter(pk=f"pi_sandbox_{_digest(top_up)}", customer=customer).first()
        return _payment(record) if record else None

    @transaction.atomic
    def cancel(self, *, payment: str) -> Payment:
        record = SandboxObject.objects.select_for_update().get(pk=payment)
        if record.data["status"] != "succeeded":
            record.data["status"] = "canceled"
            record.save()
        return _payment(record)

    def total_charged(self, *, customer: str) -> int:
        records = SandboxObject.objects.filter(customer=customer, pk__startswith="pi_")
        return sum(each.data["amount"] for each in records if each.data["status"] == "succeeded")

    def read_event(self, *, body: bytes, signature: str) -> Event:
        raise ForgedEvent("The sandbox sends no webhooks: set SK_TEST and STRIPE_WEBHOOK_SECRET to receive Stripe's.")

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


def _card(record: SandboxObject) -> Card:
    test = TEST_CARDS[record.data["card"]]
    return Card(id=record.pk, brand=test.brand, last4=test.last4, exp_month=12, exp_year=2034)


def _payment(record: SandboxObject) -> Payment:
    status = record.data["status"]
    return Payment(
        id=record.pk,
        amount_cents=record.data["amount"],
        currency="usd",
        status="requires_payment_method" if status == "declined" else status,
        client_secret=f"{record.pk}_secret_sandbox" if status == "requires_action" else "",
        message=DECLINED if status == "declined" else "",
    )
