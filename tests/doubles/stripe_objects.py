"""Stripe's objects and errors in the shapes of its API. https://docs.stripe.com/api"""

import time
from itertools import count
from typing import Any, NamedTuple

from tests.doubles.server import Answer, Refusal

Thing = dict[str, Any]

DECLINED = "Your card was declined."
WAITING = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")
_numbers = count(1)


class TestCard(NamedTuple):
    brand: str
    last4: str
    attaches: bool = True
    charge: str = "succeeded"


TEST_CARDS = {  # https://docs.stripe.com/testing#cards
    "visa": TestCard("visa", "4242"),
    "mastercard": TestCard("mastercard", "4444"),
    "amex": TestCard("amex", "8431"),
    "chargeDeclined": TestCard("visa", "0002", attaches=False, charge="declined"),
    "chargeCustomerFail": TestCard("visa", "0341", charge="declined"),
    "authenticationRequired": TestCard("visa", "3184", charge="requires_action"),
    "reserved": TestCard("visa", "0077", charge="requires_capture"),  # where the operator captures by hand
}


def new(kind: str, prefix: str, **fields: Any) -> Thing:
    made = {"id": f"{prefix}_{next(_numbers):014d}", "object": kind, "created": int(time.time())}
    return {**made, "livemode": False, "metadata": {}, **fields}


def new_customer(email: str, name: str) -> Thing:
    settings = {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None}
    return new("customer", "cus", email=email, name=name, default_source=None, invoice_settings=settings)


def new_payment_method(kind: str, prefix: str = "pm", customer: str | None = None) -> Thing:
    test = TEST_CARDS[kind]
    card = {
        "brand": test.brand,
        "last4": test.last4,
        "exp_month": 12,
        "exp_year": 2034,
        "funding": "credit",
        "country": "US",
        "fingerprint": f"fingerprint{test.last4}",
    }
    nobody = {"address": None, "email": None, "name": None, "phone": None}
    return new("payment_method", prefix, type="card", card=card, customer=customer, billing_details=nobody)


def new_link(customer: str | None = None) -> Thing:
    """A payment method that is no card. https://docs.stripe.com/payments/link"""
    return new("payment_method", "pm", type="link", link={"email": "alice@example.com"}, customer=customer)


def new_intent(amount: int, customer: str, method: str, metadata: dict[str, str], description: str) -> Thing:
    intent = new(
        "payment_intent",
        "pi",
        amount=amount,
        amount_received=0,
        currency="usd",
        customer=customer,
        payment_method=method,
        description=description,
        metadata=metadata,
        status="requires_confirmation",
        last_payment_error=None,
        latest_charge=None,
        next_action=None,
        canceled_at=None,
    )
    return {**intent, "client_secret": f"{intent['id']}_secret_loopback"}


def new_charge(intent: Thing, *, succeeded: bool) -> Thing:
    return new(
        "charge",
        "ch",
        amount=intent["amount"],
        amount_captured=intent["amount"] if succeeded else 0,
        amount_refunded=0,
        refunded=False,
        currency=intent["currency"],
        customer=intent["customer"],
        payment_intent=intent["id"],
        payment_method=intent["payment_method"],
        status="succeeded" if succeeded else "failed",
        paid=succeeded,
        captured=succeeded,
        failure_code=None if succeeded else "card_declined",
        failure_message=None if succeeded else DECLINED,
    )


def new_refund(charge: Thing, amount: int, metadata: dict[str, str]) -> Thing:
    return new(
        "refund",
        "re",
        amount=amount,
        balance_transaction="txn_of_the_refund",
        charge=charge["id"],
        currency=charge["currency"],
        metadata=metadata,
        payment_intent=charge["payment_intent"],
        reason=None,
        status="succeeded",
    )


def new_dispute(charge: Thing, status: str) -> Thing:
    """Before any money has moved."""
    return new(
        "dispute",
        "du",
        amount=charge["amount_captured"],
        balance_transactions=[],
        charge=charge["id"],
        currency="usd",
        payment_intent=charge["payment_intent"],
        reason="fraudulent",
        status=status,
    )


def new_movement(dispute: Thing, amount: int, fee: int, *, currency: str = "usd", rate: float | None = None) -> Thing:
    """A balance transaction, in the currency of the Stripe account, which also bears the fee."""
    about = {"source": dispute["id"], "type": "adjustment", "reporting_category": "dispute"}
    sums = {"amount": amount, "fee": fee, "net": amount - fee, "currency": currency, "exchange_rate": rate}
    return new("balance_transaction", "txn", **sums, **about)


def error(status: int, kind: str, message: str, **fields: Any) -> Answer:
    """https://docs.stripe.com/api/errors"""
    link = {"doc_url": f"https://docs.stripe.com/error-codes/{fields['code']}"} if "code" in fields else {}
    return Answer(status, {"error": {"type": kind, "message": message, **link, **fields}})


def missing(kind: str, name: str, param: str, status: int = 404) -> Refusal:
    message = f"No such {kind}: '{name}'"
    return Refusal(error(status, "invalid_request_error", message, code="resource_missing", param=param))


def invalid(message: str, **fields: Any) -> Refusal:
    return Refusal(error(400, "invalid_request_error", message, **fields))


def declined(**fields: Any) -> Thing:
    """A card error's fields, as an answer and as an intent's last_payment_error carry them."""
    return {
        "type": "card_error",
        "code": "card_declined",
        "decline_code": "generic_decline",
        "doc_url": "https://docs.stripe.com/error-codes/card-declined",
        "message": DECLINED,
        **fields,
    }
