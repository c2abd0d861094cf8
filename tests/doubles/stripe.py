"""Stripe on the loopback, with its idempotency, its test cards and books of its own."""

import copy
import hashlib
import hmac
import json
import re
import time
from typing import Any

import stripe

from tests.doubles.server import Answer, Refusal, Request
from tests.doubles.stripe_objects import (
    TEST_CARDS,
    WAITING,
    Thing,
    declined,
    error,
    invalid,
    missing,
    new,
    new_charge,
    new_customer,
    new_intent,
    new_payment_method,
)
from tests.doubles.stripe_side import StripeSide

SPENT = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a "
    "connected account without Customer attachment, or was detached from a Customer. It may not be used again."
)
SECRET_KEY = "sk_test_loopback"
WEBHOOK_SECRET = "whsec_loopback"


class StripeDouble(StripeSide):
    """Its API."""

    def check(self, request: Request) -> None:
        if self.refusal:
            raise Refusal(self.refusal)
        if request.headers["Authorization"] != f"Bearer {SECRET_KEY}":
            raise Refusal(error(401, "invalid_request_error", "Invalid API Key provided: sk_test_****back"))

    def not_found(self, request: Request) -> Answer:
        message = f"Unrecognized request URL ({request.method}: {request.path})."
        return error(404, "invalid_request_error", message)

    def server_error(self, request: Request) -> Answer:
        """Kept under the key like any other answer, which is why Stripe says not to try again."""
        answer = error(500, "api_error", "An unknown error occurred")
        key = request.headers["Idempotency-Key"]
        if not key:
            return answer
        answer.headers["Stripe-Should-Retry"] = "false"
        self.keys.setdefault(key, ((request.path, request.body), answer))
        return answer

    def work(self, request: Request) -> Answer:
        """https://docs.stripe.com/api/idempotent_requests: a request that fails validation is not kept."""
        key = request.headers["Idempotency-Key"] if request.method == "POST" else None
        if not key:
            return super().work(request)
        what = (request.path, request.body)
        if key not in self.keys:
            self.keys[key] = what, self._first(request)
            return self.keys[key][1]
        first, answer = self.keys[key]
        if first == what:
            return Answer(answer.status, answer.body, {**answer.headers, "Idempotent-Replayed": "true"})
        message = f"Keys for idempotent requests can only be used with the same parameters: '{key}'."
        return error(400, "idempotency_error", message)

    def create_customer(self, request: Request) -> Thing:
        return self._keep(self.customers, new_customer(request.get("email"), request.get("name")))

    def get_customer(self, request: Request, customer: str) -> Thing:
        """One that was deleted can be read for ever, and used for nothing."""
        return self.customers[customer] if customer in self.customers else self._find("customer", customer)

    def update_customer(self, request: Request, customer: str) -> Thing:
        owner, method = self._find("customer", customer), request.get("invoice_settings[default_payment_method]")
        if self.methods.get(method, {}).get("customer") != customer:
            raise missing("PaymentMethod", method, "invoice_settings[default_payment_method]", 400)
        owner["invoice_settings"]["default_payment_method"] = method
        return owner

    def remove_customer(self, request: Request, customer: str) -> Thing:
        self._find("customer", customer)
        self.delete_customer(customer)
        return self.customers[customer]

    def add_source(self, request: Request, customer: str) -> Thing:
        owner, source = self._find("customer", customer), request.get("source")
        if not source.startswith("src_") or source not in self.methods:
            raise missing("source", source, "source", 400)
        self._attach(self.methods[source], customer)
        owner["default_source"] = owner["default_source"] or source
        return {**new("source", "src"), "id": source, "type": "card", "customer": customer, "status": "chargeable"}

    def create_method(self, request: Request) -> Thing:
        token = request.get("card[token]")
        kind = self.tokens.get(token) or token.removeprefix("tok_")
        if kind == "used":
            raise invalid(f"You cannot use a Stripe token more than once: {token}.", code="token_already_used")
        if not token.startswith("tok_") or kind not in TEST_CARDS:
            raise missing("token", token, "card[token]", 400)
        if token in self.tokens:
            self.tokens[token] = "used"
        return self._keep(self.methods, new_payment_method(kind))

    def get_method(self, request: Request, method: str) -> Thing:
        return self._method(method)

    def attach_method(self, request: Request, method: str) -> Thing:
        if method.startswith("src_"):
            raise invalid("Sources are attached to a customer by POST /v1/customers/:id/sources.")
        customer = self._find("customer", request.get("customer"))["id"]
        return self._attach(self._method(method), customer)

    def create_intent(self, request: Request) -> Thing | Answer:
        customer = self._find("customer", request.get("customer"), "customer", 400)["id"]
        method = self._method(request.get("payment_method"), 400)
        if method["id"] in self.spent:
            raise invalid(SPENT)
        if method["customer"] not in (None, customer):
            raise invalid("The provided PaymentMethod belongs to another Customer.", param="payment_method")
        intent = new_intent(
            int(request.get("amount")), customer, method["id"], _metadata(request), request.get("description")
        )
        return self._confirm(self._keep(self.intents, intent), method)

    def get_intent(self, request: Request, intent: str) -> Thing:
        return self._find("payment_intent", intent, "intent")

    def cancel_intent(self, request: Request, intent: str) -> Thing:
        found = self._find("payment_intent", intent, "intent")
        if found["status"] not in WAITING:
            message = f"You cannot cancel this PaymentIntent because it has a status of {found['status']}."
            raise invalid(message, code="payment_intent_unexpected_state", payment_intent=found)
        found.update(status="canceled", canceled_at=int(time.time()))
        return found

    def create_refund(self, request: Request) -> Thing:
        intent, cents = request.get("payment_intent"), int(request.get("amount"))
        self._find("payment_intent", intent, "payment_intent", 400)
        charge = self._charge_of(intent)
        if charge["refunded"]:
            raise invalid(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
        if cents > charge["amount"] - charge["amount_refunded"]:
            raise invalid("Refund amount is greater than unrefunded amount on charge.", param="amount")
        return self.refunded(intent, cents, metadata=_metadata(request))

    def list_intents(self, request: Request) -> Thing:
        return self._of_customer(request, self.intents)

    def list_charges(self, request: Request) -> Thing:
        return self._of_customer(request, self.charges)

    def get_charge(self, request: Request, charge: str) -> Thing:
        return self._find("charge", charge)

    def list_refunds(self, request: Request) -> Thing:
        if charge := request.get("charge"):
            self._find("charge", charge, "charge", 400)
        return _page(request, self.refunds)

    def get_refund(self, request: Request, refund: str) -> Thing:
        return self._find("refund", refund)

    def get_dispute(self, request: Request, dispute: str) -> Thing:
        return self._find("dispute", dispute)

    def list_disputes(self, request: Request) -> Thing:
        return _page(request, self.disputes)

    routes = (
        ("POST", "/v1/customers", create_customer),
        ("GET", "/v1/customers/([^/]+)", get_customer),
        ("POST", "/v1/customers/([^/]+)", update_customer),
        ("DELETE", "/v1/customers/([^/]+)", remove_customer),
        ("POST", "/v1/customers/([^/]+)/sources", add_source),
        ("POST", "/v1/payment_methods", create_method),
        ("GET", "/v1/payment_methods/([^/]+)", get_method),
        ("POST", "/v1/payment_methods/([^/]+)/attach", attach_method),
        ("POST", "/v1/payment_intents", create_intent),
        ("GET", "/v1/payment_intents", list_intents),
        ("GET", "/v1/payment_intents/([^/]+)", get_intent),
        ("POST", "/v1/payment_intents/([^/]+)/cancel", cancel_intent),
        ("GET", "/v1/charges", list_charges),
        ("GET", "/v1/charges/([^/]+)", get_charge),
        ("POST", "/v1/refunds", create_refund),
        ("GET", "/v1/refunds", list_refunds),
        ("GET", "/v1/refunds/([^/]+)", get_refund),
        ("GET", "/v1/disputes", list_disputes),
        ("GET", "/v1/disputes/([^/]+)", get_dispute),
    )

    # Its inside

    def _first(self, request: Request) -> Answer:
        """The answer as it is now: what happens to the object later does not change a kept answer."""
        try:
            answer = super().work(request)
        except Refusal as refusal:
            if refusal.answer.status != 402:
                raise
            answer = refusal.answer
        return Answer(answer.status, copy.deepcopy(answer.body))

    def _find(self, kind: str, name: str, param: str = "id", status: int = 404) -> Thing:
        of_kind = {
            "customer": self.customers,
            "refund": self.refunds,
            "dispute": self.disputes,
            "charge": self.charges,
        }
        things = of_kind.get(kind, self.intents)
        if name not in things or things[name].get("deleted"):
            raise missing(kind, name, param, status)
        return things[name]

    def _of_customer(self, request: Request, things: dict[str, Thing]) -> Thing:
        if customer := request.get("customer"):
            self._find("customer", customer, "customer", 400)
        return _page(request, things)

    def _method(self, name: str, status: int = 404) -> Thing:
        """pm_card_visa and its like stand for a new card at each use."""
        if name.removeprefix("pm_card_") in TEST_CARDS and name.startswith("pm_card_"):
            return self._keep(self.methods, new_payment_method(name.removeprefix("pm_card_")))
        if name not in self.methods:
            raise missing("PaymentMethod", name, "payment_method", status)
        return self.methods[name]

    def _attach(self, method: Thing, customer: str) -> Thing:
        if method["id"] in self.spent:
            raise invalid(SPENT)
        if method["customer"] not in (None, customer):
            raise invalid("The payment method you provided has already been attached to a customer.")
        if not _test_card(method).attaches:
            raise Refusal(Answer(402, {"error": declined(payment_method=method)}))
        method["customer"] = customer
        return method

    def _confirm(self, intent: Thing, method: Thing) -> Thing | Answer:
        outcome = _test_card(method).charge
        if outcome == "declined":
            charge = self._keep(self.charges, new_charge(intent, succeeded=False))
            reason = declined(charge=charge["id"], payment_method=method)
            intent.update(status="requires_payment_method", last_payment_error=reason, latest_charge=charge["id"])
            return Answer(402, {"error": {**reason, "payment_intent": copy.deepcopy(intent)}})
        if outcome == "requires_action":
            intent.update(status="requires_action", next_action={"type": "use_stripe_sdk", "use_stripe_sdk": {}})
            return intent
        taken = self._take(intent)
        return self.authorised(intent["id"]) if outcome == "requires_capture" else taken


def signature(body: bytes, *, secret: str = WEBHOOK_SECRET, at: float | None = None) -> str:
    """The Stripe-Signature header of a webhook. https://docs.stripe.com/webhooks#verify-manually"""
    stamp = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def event(kind: str, thing: Thing, **fields: Any) -> bytes:
    """A webhook's body."""
    made = new("event", "evt", type=kind, api_version=stripe.api_version, data={"object": thing})
    return json.dumps({**made, **fields}).encode()


def thin_event(kind: str, thing: Thing) -> bytes:
    """A webhook's body that says no more than what it is about. https://docs.stripe.com/event-destinations"""
    made = new("v2.core.event", "evt", type=f"v1.{kind}", context=None, reason=None)
    path = f"/v1/{thing['object']}s/{thing['id']}"
    related = {"id": thing["id"], "type": thing["object"], "url": path}
    return json.dumps({**made, "created": "2026-11-22T15:04:05.000Z", "related_object": related}).encode()


def _metadata(request: Request) -> dict[str, str]:
    found = {name: re.fullmatch(r"metadata\[(.+)\]", name) for name in request.form}
    return {match[1]: request.get(name) for name, match in found.items() if match}


def _test_card(method: Thing) -> Any:
    return next(each for each in TEST_CARDS.values() if each.last4 == method["card"]["last4"])


def _page(request: Request, things: dict[str, Thing]) -> Thing:
    """Newest first. https://docs.stripe.com/api/pagination"""
    since, until = int(request.get("created[gte]", "0")), int(request.get("created[lte]", "9" * 12))
    wanted = {name: request.get(name) for name in ("customer", "charge") if name in request.query}
    data = [
        each
        for each in reversed(things.values())
        if since <= each["created"] <= until and all(each[name] == value for name, value in wanted.items())
    ]
    after, limit = request.get("starting_after"), int(request.get("limit", "10"))
    if not 1 <= limit <= 100:
        raise invalid(f"Invalid integer: {limit}", param="limit")
    start = [each["id"] for each in data].index(after) + 1 if after else 0
    more = len(data) > start + limit
    return {"object": "list", "url": request.path, "has_more": more, "data": data[start : start + limit]}
