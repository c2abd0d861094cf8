"""Stripe's objects as ours. https://docs.stripe.com/api

They are read as they come over the wire, in answers and in events alike. An event may be of an API version years older:
what lacks a key that we need raises Unreadable, in words that an operator understands.
"""

import re
from collections.abc import Mapping
from typing import Any

from billing.gateway.interface import (
    CardDeclined,
    DisputeReport,
    Payment,
    PaymentMethod,
    Refund,
    UnusableSource,
)

Thing = Mapping[str, Any]

WITHDRAWN, REINSTATED = "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"
STATUSES = {
    "requires_source": "requires_payment_method",  # as both were called before 2019-02-11
    "requires_source_action": "requires_action",
    **{
        status: status
        for status in (
            *("requires_payment_method", "requires_confirmation", "requires_action", "processing"),
            *("requires_capture", "canceled", "succeeded"),
        )
    },
}
NO_MINOR_UNIT = re.compile("bif|clp|djf|gnf|jpy|kmf|krw|mga|pyg|rwf|ugx|vnd|vuv|xaf|xof|xpf")
THREE_DIGITS = re.compile("bhd|jod|kwd|omr|tnd")
"""https://docs.stripe.com/currencies#zero-decimal"""


class Unreadable(ValueError):  # noqa: N818  # it is what we say of a thing
    """Says which key of the thing is missing, or is no such value."""


def text(thing: Thing, key: str) -> str:
    value = thing.get(key)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"its {key} is missing")
    return value


def whole(thing: Thing, key: str) -> int:
    value = thing.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable(f"its {key} is missing")
    return value


def id_of(thing: Any) -> str:
    """An expandable field is an id or the object itself; empty where there is neither."""
    found = thing.get("id") if isinstance(thing, Mapping) else thing
    return found if isinstance(found, str) else ""


def payment_of(thing: Thing) -> str:
    """The payment of a refund or dispute: null is a charge's from before PaymentIntents."""
    if "payment_intent" not in thing:
        raise Unreadable("its payment_intent is missing")
    return id_of(thing["payment_intent"])


def inside(thing: Thing, key: str) -> Thing:
    found = thing.get(key)
    return found if isinstance(found, Mapping) else {}


def read_payment(intent: Thing) -> Payment:
    status = STATUSES.get(text(intent, "status"))
    if status is None:
        raise Unreadable("nobody here knows its status")
    error = inside(intent, "last_payment_error")
    top_up = inside(intent, "metadata").get("topUp")
    return Payment(
        id=text(intent, "id"),
        amount_cents=whole(intent, "amount"),
        currency=text(intent, "currency").lower(),
        status=status,
        client_secret=str(intent.get("client_secret") or ""),
        message=str(error.get("message") or CardDeclined.default_detail) if error else "",
        top_up=top_up if isinstance(top_up, str) else "",
        received_cents=whole(intent, "amount_received") if status == "succeeded" else 0,
    )


def read_refund(refund: Thing) -> Refund:
    request = inside(refund, "metadata").get("request")
    return Refund(
        id=text(refund, "id"),
        payment=payment_of(refund),
        amount_cents=whole(refund, "amount"),
        status=str(refund.get("status") or "pending"),
        currency=text(refund, "currency").lower(),
        is_booked=refund.get("balance_transaction", "not told") is not None,
        request=request if isinstance(request, str) else "",
    )


def read_card(method: Thing) -> PaymentMethod:
    """Raises UnusableSource for what is no card, such as Link. https://docs.stripe.com/payments/payment-methods"""
    if method.get("type", "card") != "card":
        raise UnusableSource("Only cards are accepted here. Enter a card.")
    card = inside(method, "card")
    return PaymentMethod(
        text(method, "id"), text(card, "brand"), text(card, "last4"), whole(card, "exp_month"), whole(card, "exp_year")
    )


def received_of(charge: Thing, *, currency: str) -> int:
    """What a charge has brought and nobody was given back.

    What is let go of when less is captured than was authorised counts as refunded at Stripe: it was never received.
    """
    if charge.get("status") != "succeeded" or str(charge.get("currency")).lower() != currency:
        return 0
    amount = whole(charge, "amount")
    captured = charge.get("amount_captured")
    if not isinstance(captured, int):  # from before it was told
        captured = amount if charge.get("captured", True) else 0
    return max(0, min(captured, amount - whole(charge, "amount_refunded")))


def read_dispute(dispute: Thing, *, told_by: str = "") -> DisputeReport:
    """What it has moved is in its balance transactions; `told_by` is the type of an event, for one that lists none."""
    amount, currency = whole(dispute, "amount"), text(dispute, "currency").lower()
    listed = dispute.get("balance_transactions") or []
    moved = [moved_cents(each, amount, currency) for each in listed if isinstance(each, Mapping)]
    if not moved and told_by in (WITHDRAWN, REINSTATED):
        moved = [-amount, amount] if told_by == REINSTATED else [-amount]
    withdrawn = min(amount, -sum(cents for cents in moved if cents < 0))
    reinstated = min(amount, sum(cents for cents in moved if cents > 0))
    if withdrawn and came_back_whole(listed):
        reinstated = withdrawn
    return DisputeReport(
        id=text(dispute, "id"),
        payment=payment_of(dispute),
        amount_cents=amount,
        status=text(dispute, "status"),
        withdrawn_cents=withdrawn,
        reinstated_cents=reinstated,
        currency=currency,
    )


def moved_cents(movement: Thing, amount: int, currency: str) -> int:
    """The part of the disputed amount that a balance transaction stands for; negative where it leaves our account.

    It is in the currency of the operator's Stripe account, by an exchange rate of its own day, and only its share of
    the disputed amount is told to us. https://docs.stripe.com/api/balance_transactions/object
    """
    moved, into = whole(movement, "amount"), str(movement.get("currency") or currency).lower()
    if into == currency:
        return moved
    share = share_of(abs(moved), amount, movement.get("exchange_rate"), digits_of(into))
    return round(amount * share) * (1 if moved > 0 else -1) if moved else 0


def share_of(moved: int, amount: int, rate: Any, digits: int) -> float:
    """From 0 to 1; all of it where no rate tells. A rate may be between the units or between their hundredths."""
    if not isinstance(rate, int | float) or isinstance(rate, bool) or rate <= 0 or not amount:
        return 1.0
    wholes = (amount * rate, amount * rate * 10.0 ** (digits - 2))
    if any(abs(moved - all_of_it) <= 1 for all_of_it in wholes):  # rounded at Stripe
        return 1.0
    return max((moved / each for each in wholes if moved <= each), default=1.0)


def digits_of(currency: str) -> int:
    return 0 if NO_MINOR_UNIT.fullmatch(currency) else 3 if THREE_DIGITS.fullmatch(currency) else 2


def came_back_whole(movements: Any) -> bool:
    """Whether as much came back as had left, in the same currency: the rate may have changed meanwhile."""
    sums: dict[Any, list[int]] = {}
    for each in movements:
        if isinstance(each, Mapping):
            sums.setdefault(each.get("currency"), []).append(whole(each, "amount"))
    one = next(iter(sums.values())) if len(sums) == 1 else []
    return min(one, default=0) < 0 < max(one, default=0) and sum(one) >= 0
