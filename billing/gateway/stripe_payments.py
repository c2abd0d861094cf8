"""Payments by Stripe: PaymentMethods and PaymentIntents, with the old ids converted at the door.

https://docs.stripe.com/payments/payment-methods/migrate-from-legacy-cards-sources
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Any

import requests
import stripe

from billing.gateway.interface import (
    CURRENCY,
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
    UnusableSource,
    WebhookEvent,
)
from billing.gateway.stripe_errors import OF_THE_SET_UP, our_errors
from billing.gateway.stripe_events import FOLLOWED_EVENTS, event_of_body, event_of_payload
from billing.gateway.stripe_objects import (
    Unreadable,
    id_of,
    inside,
    read_card,
    read_dispute,
    read_payment,
    read_refund,
    received_of,
)
from core.deadline import time_left
from core.vendors import NotConfigured

TIMEOUT = 10.0  # seconds; the SDK's own default is 80
RETRIES = 1  # the SDK's own default is 0
FUTURE = 300  # seconds that a webhook's clock may be ahead of ours; construct_event looks only at its age
LOOK_BACK = 300  # how many of a customer's newest payments are searched for a top-up


class DeadlineSession(requests.Session):
    """Follows no redirect: whoever it led to would be sent the body, and by 307 the card's data in it."""

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        return super().request(*args, **{**kwargs, "timeout": time_left(TIMEOUT), "allow_redirects": False})


class StripePayments:
    name = "Stripe"
    api_version = stripe.api_version

    def __init__(self, *, sk_test: str, api_base: str = "", webhook_secret: str = "") -> None:
        """`webhook_secret` may be several, with commas between: while one is rolled, Stripe signs with either.

        https://docs.stripe.com/webhooks#roll-endpoint-secrets
        """
        self.webhook_secrets = [secret for secret in webhook_secret.split(",") if secret]
        mode = re.match("[a-z]+_(live|test)_", sk_test)
        self.livemode = mode[1] == "live" if mode else None
        self.api = stripe.StripeClient(
            sk_test,
            http_client=stripe.RequestsClient(session=DeadlineSession()),
            max_network_retries=RETRIES,
            base_addresses={"api": api_base} if api_base else {},
        ).v1

    def create_customer(self, *, email: str, name: str, key: str) -> str:
        with our_errors():
            try:
                return self.api.customers.create({"email": email, "name": name}, {"idempotency_key": key}).id
            except stripe.InvalidRequestError as error:
                if error.code != "email_invalid":  # to us it is none of a card's faults: they can pay without it
                    raise
                return self.api.customers.create({"name": name}, {"idempotency_key": f"{key}-no-email"}).id

    def delete_customer(self, *, customer: str) -> None:
        """https://docs.stripe.com/api/customers/delete"""
        with our_errors():
            try:
                self.api.customers.delete(customer)
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":
                    raise
                raise CustomerGone from error

    def attach_card(self, *, customer: str, source: str, key: str = "") -> PaymentMethod:
        with our_errors():
            if source.startswith("tok_"):
                source = self._card_of_token(source, key=key).id
            method = self.api.payment_methods.retrieve(source)
            if not (owner := id_of(_plain(method).get("customer"))):
                method = self._attach(customer, source)
            elif owner != customer:
                raise UnusableSource("This card belongs to somebody else. Enter it again.")
            return read_card(_plain(method))

    def default_card(self, *, customer: str) -> PaymentMethod | None:
        with our_errors():
            name = self._default(customer)
        try:
            with our_errors():
                method = _plain(self.api.payment_methods.retrieve(name)) if name else {}
                return read_card(method) if id_of(method.get("customer")) == customer else None
        except (UnknownSource, UnusableSource):
            return None

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
                        "currency": CURRENCY,
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

    def find_payment(self, *, customer: str, top_up: str, since: datetime | None = None) -> Payment | None:
        try:
            if customer:
                return self._find({"customer": customer, "limit": 100}, top_up)
        except CustomerGone:
            if since is None:
                raise
        return self._find(_around(since), top_up) if since else None

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
        with our_errors():
            return _refund(self._refund_once(payment, amount_cents, key))

    def refunds(self, *, charge: str) -> list[Refund]:
        with our_errors():
            found = self.api.refunds.list({"charge": charge, "limit": 100}).auto_paging_iter()
            return [_refund(each) for each in found]

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
            found = self.api.charges.list({"customer": customer, "limit": 100}).auto_paging_iter()
            charges = [_plain(each) for each in found]
            own = [each for each in charges if id_of(each.get("customer")) in ("", customer)]
            return sum(received_of(each, currency=CURRENCY) for each in own)

    def construct_event(self, *, body: bytes, signature: str) -> WebhookEvent:
        if not self.webhook_secrets:
            raise NotConfigured("Webhooks are switched off here: the operator must set STRIPE_WEBHOOK_SECRET.")
        self._verify(body, signature)
        sent = re.search(r"(?:^|,)t=(\d+)", signature)
        if not sent or int(sent[1]) > time.time() + FUTURE:
            raise SignatureVerificationError("The signature's time is in the future.")
        return event_of_body(body.decode(), livemode=self.livemode)

    def _verify(self, body: bytes, signature: str) -> None:
        fault: Exception | None = None
        for secret in self.webhook_secrets:
            try:
                stripe.WebhookSignature.verify_header(body, signature, secret, stripe.Webhook.DEFAULT_TOLERANCE)
            except Exception as error:  # verify_header raises more than it says
                fault = error
            else:
                return
        raise SignatureVerificationError("The signature does not fit the body.") from fault

    def event_from_payload(self, payload: Mapping[str, Any], *, name: str = "") -> WebhookEvent:
        return event_of_payload(payload, name=name, livemode=self.livemode)

    def retrieve(self, thing: Unread) -> Subject | None:
        followed, ask = FOLLOWED_EVENTS.get(thing.type), self._by_event().get(thing.type.rpartition(".")[0])
        if followed is None or ask is None or not thing.id:
            raise UnknownSource(f"Stripe cannot be asked for it: {thing.reason}.")
        with suppress(Unreadable):  # an id may be all that is needed
            return followed.read({"id": thing.id})
        with our_errors():
            found = _plain(ask(thing.id))
        try:
            return followed.read(found)
        except UnusableSource:  # no card
            return None

    def _by_event(self) -> dict[str, Callable[[str], Any]]:
        """Where Stripe is asked for what an event's type begins with."""
        return {
            "payment_intent": self.api.payment_intents.retrieve,
            "refund": self.api.refunds.retrieve,
            "charge": self.api.charges.retrieve,
            "charge.dispute": self.api.disputes.retrieve,
            "payment_method": self.api.payment_methods.retrieve,
            "customer": self.api.customers.retrieve,
        }

    def _find(self, where: Any, top_up: str) -> Payment | None:
        with our_errors():
            for intent in islice(self.api.payment_intents.list(where).auto_paging_iter(), LOOK_BACK):
                if inside(_plain(intent), "metadata").get("topUp") == top_up:
                    return _payment(intent)
            return None

    def _refund_once(self, payment: str, amount_cents: int, key: str) -> stripe.Refund:
        try:
            return self.api.refunds.create(
                {"payment_intent": payment, "amount": amount_cents, "metadata": {"request": key}},
                {"idempotency_key": f"refund-{key}"},
            )
        except stripe.IdempotencyError as error:
            raise RefundRefused(
                "This refund was asked for before, with another amount. Look at its payment."
            ) from error
        except stripe.InvalidRequestError as error:
            if error.code == "resource_missing" or error.code in OF_THE_SET_UP:
                raise
            raise RefundRefused(
                "Stripe does not give back so much of this payment. See it in its dashboard."
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
        owner = _plain(self.api.customers.retrieve(customer))
        if owner.get("deleted"):
            raise CustomerGone
        method = inside(owner, "invoice_settings").get("default_payment_method") or owner.get("default_source")
        return id_of(method)


def _plain(thing: Any) -> dict[str, Any]:
    """An answer as it came over the wire."""
    plain: dict[str, Any] = thing.to_dict()
    return plain


def _payment(intent: Any) -> Payment:
    return read_payment(_plain(intent))


def _refund(refund: Any) -> Refund:
    return read_refund(_plain(refund))


def _dispute(dispute: Any) -> DisputeReport:
    return read_dispute(_plain(dispute))


def _since(time: datetime) -> Any:
    return {"created": {"gte": int(time.timestamp())}, "limit": 100}


def _around(time: datetime) -> Any:
    """When a top-up that was asked for at that time may have been charged; Stripe's clock is not ours."""
    begin = int(time.timestamp())
    return {"created": {"gte": begin - 300, "lte": begin + 3600}, "limit": 100}
