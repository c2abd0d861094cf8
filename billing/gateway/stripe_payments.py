"""Payments by Stripe: PaymentMethods and PaymentIntents, with the old ids converted at the door.

https://docs.stripe.com/payments/payment-methods/migrate-from-legacy-cards-sources
"""

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

import requests
import stripe

from billing.gateway.interface import (
    CardDeclined,
    DetachedPaymentMethod,
    DisputeReport,
    NoCard,
    Payment,
    PaymentMethod,
    PaymentsUnavailable,
    Refund,
    RefundedCharge,
    RefundRefused,
    SignatureVerificationError,
    Subject,
    UnknownSource,
    UnusableSource,
    WebhookEvent,
)
from core.deadline import time_left
from core.vendors import NotConfigured

logger = logging.getLogger(__name__)

TIMEOUT = 10.0  # seconds; the SDK's own default is 80
RETRIES = 1  # the SDK's own default is 0
FUTURE = 300  # seconds that a webhook's clock may be ahead of ours; construct_event looks only at its age
WITHDRAWN, REINSTATED = "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"
LOOK_BACK = 300  # how many of a customer's newest payments are searched for a top-up


class DeadlineSession(requests.Session):
    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        return super().request(*args, **{**kwargs, "timeout": time_left(TIMEOUT)})


class StripePayments:
    name = "Stripe"

    def __init__(self, *, sk_test: str, api_base: str = "", webhook_secret: str = "") -> None:
        """`webhook_secret` may be several, with commas between: while one is rolled, Stripe signs with either.

        https://docs.stripe.com/webhooks#roll-endpoint-secrets
        """
        self.webhook_secrets = [secret for secret in webhook_secret.split(",") if secret]
        self.api = stripe.StripeClient(
            sk_test,
            http_client=stripe.RequestsClient(session=DeadlineSession()),
            max_network_retries=RETRIES,
            base_addresses={"api": api_base} if api_base else {},
        ).v1

    def create_customer(self, *, email: str, name: str, key: str) -> str:
        with our_errors():
            return self.api.customers.create({"email": email, "name": name}, {"idempotency_key": key}).id

    def attach_card(self, *, customer: str, source: str) -> PaymentMethod:
        with our_errors():
            if source.startswith("tok_"):
                source = self._card_of_token(source).id
            method = self.api.payment_methods.retrieve(source)
            if method.customer is None:
                method = self._attach(customer, source)
            elif _id(method.customer) != customer:
                raise UnusableSource("This card belongs to somebody else. Enter it again.")
            return _card(method)

    def default_card(self, *, customer: str) -> PaymentMethod | None:
        with our_errors():
            method = self._default(customer)
            return _card(self.api.payment_methods.retrieve(method)) if method else None

    def make_default(self, *, customer: str, card: PaymentMethod) -> None:
        with our_errors():
            self.api.customers.update(customer, {"invoice_settings": {"default_payment_method": card.id}})

    def charge(self, *, customer: str, source: str, amount_cents: int, top_up: str) -> Payment:
        with our_errors():
            method = source or self._default(customer)
            if not method:
                raise NoCard
            if method.startswith("tok_"):
                method = self._card_of_token(method, key=f"top-up-{top_up}-card").id
            return _payment(
                self.api.payment_intents.create(
                    {
                        "amount": amount_cents,
                        "currency": "usd",
                        "customer": customer,
                        "payment_method": method,
                        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                        "confirm": True,
                        "description": "Voice Chatroom top-up",
                        "metadata": {"topUp": top_up},
                    },
                    {"idempotency_key": f"top-up-{top_up}"},
                )
            )

    def find_payment(self, *, customer: str, top_up: str) -> Payment | None:
        with our_errors():
            newest = self.api.payment_intents.list({"customer": customer, "limit": 100}).auto_paging_iter()
            for intent in islice(newest, LOOK_BACK):
                if _metadata(intent).get("topUp") == top_up:
                    return _payment(intent)
            return None

    def cancel(self, *, payment: str) -> Payment:
        with our_errors():
            try:
                return _payment(self.api.payment_intents.cancel(payment))
            except stripe.InvalidRequestError:  # it went through, or was cancelled, in the meantime
                return _payment(self.api.payment_intents.retrieve(payment))

    def retrieve_payment(self, *, payment: str) -> Payment:
        with our_errors():
            return _payment(self.api.payment_intents.retrieve(payment))

    def create_refund(self, *, payment: str, amount_cents: int, key: str) -> Refund:
        try:
            with our_errors():
                return _refund(self._refund_once(payment, amount_cents, f"refund-{key}"))
        except UnusableSource as error:
            raise RefundRefused(
                "Stripe does not give back so much of this payment. See it in its dashboard."
            ) from error

    def refunds(self, *, charge: str) -> list[Refund]:
        with our_errors():
            return [
                _refund(each) for each in self.api.refunds.list({"charge": charge, "limit": 100}).auto_paging_iter()
            ]

    def retrieve_refund(self, *, refund: str) -> Refund:
        with our_errors():
            return _refund(self.api.refunds.retrieve(refund))

    def retrieve_dispute(self, *, dispute: str) -> DisputeReport:
        with our_errors():
            return _dispute(self.api.disputes.retrieve(dispute))

    def payments_since(self, time: datetime) -> Iterator[Payment]:
        with our_errors():
            yield from map(_payment, self.api.payment_intents.list(_since(time)).auto_paging_iter())

    def refunds_since(self, time: datetime) -> Iterator[Refund]:
        with our_errors():
            yield from map(_refund, self.api.refunds.list(_since(time)).auto_paging_iter())

    def disputes_since(self, time: datetime) -> Iterator[DisputeReport]:
        with our_errors():
            yield from map(_dispute, self.api.disputes.list(_since(time)).auto_paging_iter())

    def total_charged(self, *, customer: str) -> int:
        with our_errors():
            charges = self.api.charges.list({"customer": customer, "limit": 100}).auto_paging_iter()
            return sum(each.amount - each.amount_refunded for each in charges if each.status == "succeeded")

    def construct_event(self, *, body: bytes, signature: str) -> WebhookEvent:
        if not self.webhook_secrets:
            raise NotConfigured("Webhooks are switched off here: the operator must set STRIPE_WEBHOOK_SECRET.")
        event = self._signed_event(body, signature)
        sent = re.search(r"(?:^|,)t=(\d+)", signature)
        if not sent or int(sent[1]) > time.time() + FUTURE:
            raise SignatureVerificationError("The signature's time is in the future.")
        return event

    def _signed_event(self, body: bytes, signature: str) -> WebhookEvent:
        fault: Exception | None = None
        for secret in self.webhook_secrets:
            try:
                return _event(stripe.Webhook.construct_event(body, signature, secret))
            except Exception as error:  # construct_event raises more than it says, and lets through what is no event
                fault = error
        raise SignatureVerificationError("The signature does not fit the body.") from fault

    def event_from_payload(self, payload: Mapping[str, Any]) -> WebhookEvent:
        return _event(stripe.Event.construct_from(dict(payload), None))

    def _refund_once(self, payment: str, amount_cents: int, key: str) -> stripe.Refund:
        try:
            return self.api.refunds.create(
                {"payment_intent": payment, "amount": amount_cents}, {"idempotency_key": key}
            )
        except stripe.IdempotencyError as error:
            raise RefundRefused(
                "This refund was asked for before, with another amount. Look at its payment."
            ) from error

    def _card_of_token(self, token: str, key: str = "") -> stripe.PaymentMethod:
        options: stripe.RequestOptions = {"idempotency_key": key} if key else {}
        return self.api.payment_methods.create({"type": "card", "card": {"token": token}}, options)

    def _attach(self, customer: str, source: str) -> stripe.PaymentMethod:
        """Old Sources can only be attached the old way; as PaymentMethods they can be used and read all the same."""
        if source.startswith("src_"):
            self.api.customers.payment_sources.create(customer, {"source": source})
            return self.api.payment_methods.retrieve(source)
        return self.api.payment_methods.attach(source, {"customer": customer})

    def _default(self, customer: str) -> str:
        """The id of the card that is charged: customers from before PaymentMethods have a default_source."""
        owner = self.api.customers.retrieve(customer)
        settings = getattr(owner, "invoice_settings", None)
        method = getattr(settings, "default_payment_method", None) or getattr(owner, "default_source", None)
        return _id(method) if method else ""


@contextmanager
def our_errors() -> Iterator[None]:
    """Stripe's errors as ours. https://docs.stripe.com/error-handling"""
    try:
        yield
    except stripe.CardError as error:
        raise CardDeclined(error.user_message or CardDeclined.default_detail) from error
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing":
            raise UnknownSource from error
        logger.warning("Stripe refused a request: %s (%s)", error.code, error.request_id)
        raise UnusableSource("This card cannot be used. Enter it again.") from error
    except stripe.StripeError as error:
        logger.warning("Stripe failed: %s %s (%s)", type(error).__name__, error.code, error.request_id)
        raise PaymentsUnavailable from error


def _id(thing: Any) -> str:
    """An expandable field is an id or the object itself; empty where there is neither."""
    return thing if isinstance(thing, str) else str(thing.id) if thing else ""


def _since(time: datetime) -> Any:
    return {"created": {"gte": int(time.timestamp())}, "limit": 100}


def _metadata(thing: Any) -> dict[str, str]:
    metadata = getattr(thing, "metadata", None)
    return dict(metadata.to_dict()) if metadata else {}


def _card(method: stripe.PaymentMethod) -> PaymentMethod:
    card = getattr(method, "card", None)
    if card is None:
        raise UnusableSource("Only cards are accepted.")
    return PaymentMethod(method.id, card.brand, card.last4, card.exp_month, card.exp_year)


def _payment(intent: Any) -> Payment:
    error = getattr(intent, "last_payment_error", None)
    return Payment(
        id=intent.id,
        amount_cents=intent.amount,
        currency=intent.currency,
        status=intent.status,
        client_secret=getattr(intent, "client_secret", None) or "",
        message=(getattr(error, "message", None) or CardDeclined.default_detail) if error else "",
        top_up=_metadata(intent).get("topUp", ""),
    )


def _refund(refund: Any) -> Refund:
    return Refund(refund.id, _id(refund.payment_intent), refund.amount, refund.status or "pending")


def _dispute(dispute: Any, *, moved: str = "") -> DisputeReport:
    """What it has moved is in its balance transactions; `moved` is what its event says, for one that has none."""
    amounts = [each.amount for each in getattr(dispute, "balance_transactions", None) or []]
    withdrawn = -sum(amount for amount in amounts if amount < 0)
    reinstated = sum(amount for amount in amounts if amount > 0)
    if not amounts and moved in (WITHDRAWN, REINSTATED):
        withdrawn, reinstated = dispute.amount, dispute.amount if moved == REINSTATED else 0
    return DisputeReport(
        id=dispute.id,
        payment=_id(dispute.payment_intent),
        amount_cents=dispute.amount,
        status=dispute.status,
        withdrawn_cents=withdrawn,
        reinstated_cents=reinstated,
    )


def _event(event: stripe.Event) -> WebhookEvent:
    read = FOLLOWED_EVENTS.get(event.type)
    return WebhookEvent(event.id, event.type, event.to_dict(), read(event.data.object) if read else None)


FOLLOWED_EVENTS: dict[str, Callable[[Any], Subject]] = {
    "payment_intent.succeeded": _payment,
    "payment_intent.payment_failed": _payment,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.refunded": lambda charge: RefundedCharge(charge.id, _id(charge.payment_intent)),
    "charge.dispute.created": _dispute,
    "charge.dispute.updated": _dispute,
    WITHDRAWN: partial(_dispute, moved=WITHDRAWN),
    REINSTATED: partial(_dispute, moved=REINSTATED),
    "charge.dispute.closed": _dispute,
    "payment_method.updated": _card,
    "payment_method.automatically_updated": _card,
    "payment_method.detached": lambda method: DetachedPaymentMethod(method.id),
}
"""The events from which something follows. The README lists them for Stripe's dashboard."""
