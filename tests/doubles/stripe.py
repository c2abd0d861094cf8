"""Stripe on the loopback, with its idempotency, its test cards and books of its own."""

import copy
import hashlib
import hmac
import json
import re
import time
from typing import Any

from tests.doubles.server import Answer, Double, Refusal, Request
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
    new_dispute,
    new_intent,
    new_movement,
    new_payment_method,
    new_refund,
)

SECRET_KEY = "sk_test_loopback"
WEBHOOK_SECRET = "whsec_loopback"


class StripeDouble(Double):
    def __init__(self) -> None:
        super().__init__()
        self.customers: dict[str, Thing] = {}
        self.methods: dict[str, Thing] = {}
        self.intents: dict[str, Thing] = {}
        self.charges: dict[str, Thing] = {}
        self.refunds: dict[str, Thing] = {}
        self.disputes: dict[str, Thing] = {}
        self.tokens: dict[str, str] = {}
        self.keys: dict[str, tuple[tuple[str, bytes], Answer]] = {}

    # What tests do at Stripe's side

    @property
    def books(self) -> list[int]:
        """What was really taken from cards, in cents, less what was given back."""
        return [each["amount"] - each["amount_refunded"] for each in self.charges.values() if each["paid"]]

    @property
    def moved(self) -> int:
        """What our Stripe account holds by payments, refunds and disputes, in cents, without fees."""
        disputes = [each["amount"] for one in self.disputes.values() for each in one["balance_transactions"]]
        return sum(self.books) + sum(disputes)

    def token(self, kind: str) -> str:
        """A token as Stripe's own form makes it: good for one use."""
        token = f"tok_{len(self.tokens) + 1:014d}"
        self.tokens[token] = kind
        return token

    def old_card(self, prefix: str, *, customer: str | None = None, kind: str = "visa") -> str:
        """A card_ or src_ from before PaymentMethods; a customer's is the default_source too."""
        method = self._keep(self.methods, new_payment_method(kind, prefix, customer))
        if customer:
            self.customers[customer]["default_source"] = method["id"]
        return str(method["id"])

    def charged_before(self, customer: str, *, cents: int, refunded: int = 0, succeeded: bool = True) -> None:
        intent = self._keep(self.intents, new_intent(cents, customer, "pm_old", {}, ""))
        charge = self._keep(self.charges, new_charge(intent, succeeded=succeeded))
        charge.update(amount_refunded=refunded, refunded=refunded == cents)

    def refunded(self, intent: str, cents: int, *, status: str = "succeeded") -> Thing:
        """Somebody gives money back in Stripe's dashboard."""
        charge = self._charge_of(intent)
        refund = self._keep(self.refunds, new_refund(charge, cents))
        charge["amount_refunded"] += cents
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        return self.refund_becomes(refund["id"], status)

    def refund_becomes(self, refund: str, status: str) -> Thing:
        found = self.refunds[refund]
        if status in ("failed", "canceled") and found["status"] not in ("failed", "canceled"):
            charge = self.charges[found["charge"]]
            charge.update(amount_refunded=charge["amount_refunded"] - found["amount"], refunded=False)
        found["status"] = status
        return found

    def disputed(self, intent: str, *, status: str = "needs_response") -> Thing:
        """The card's owner objects. An inquiry (`warning_needs_response`) moves no money."""
        dispute = self._keep(self.disputes, new_dispute(self._charge_of(intent), status))
        if not status.startswith("warning_"):
            dispute["balance_transactions"].append(new_movement(dispute, -dispute["amount"], 1500))
        return dispute

    def dispute_ends(self, dispute: str, status: str) -> Thing:
        found = self.disputes[dispute]
        found["status"] = status
        if status == "won":
            found["balance_transactions"].append(new_movement(found, found["amount"], 0))
        return found

    def consent(self, intent: str) -> None:
        """The card's owner confirms the payment with the bank."""
        self._take(self.intents[intent])

    # The API

    def check(self, request: Request) -> None:
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
        return self._find("customer", customer)

    def update_customer(self, request: Request, customer: str) -> Thing:
        owner, method = self._find("customer", customer), request.get("invoice_settings[default_payment_method]")
        if self.methods.get(method, {}).get("customer") != customer:
            raise missing("PaymentMethod", method, "invoice_settings[default_payment_method]", 400)
        owner["invoice_settings"]["default_payment_method"] = method
        return owner

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
        return self.refunded(intent, cents)

    def list_intents(self, request: Request) -> Thing:
        return _page(request, self.intents)

    def list_charges(self, request: Request) -> Thing:
        return _page(request, self.charges)

    def list_refunds(self, request: Request) -> Thing:
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
        ("POST", "/v1/customers/([^/]+)/sources", add_source),
        ("POST", "/v1/payment_methods", create_method),
        ("GET", "/v1/payment_methods/([^/]+)", get_method),
        ("POST", "/v1/payment_methods/([^/]+)/attach", attach_method),
        ("POST", "/v1/payment_intents", create_intent),
        ("GET", "/v1/payment_intents", list_intents),
        ("GET", "/v1/payment_intents/([^/]+)", get_intent),
        ("POST", "/v1/payment_intents/([^/]+)/cancel", cancel_intent),
        ("GET", "/v1/charges", list_charges),
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

    def _charge_of(self, intent: str) -> Thing:
        return next(each for each in self.charges.values() if each["payment_intent"] == intent and each["paid"])

    def _keep(self, things: dict[str, Thing], thing: Thing) -> Thing:
        return things.setdefault(thing["id"], thing)

    def _find(self, kind: str, name: str, param: str = "id", status: int = 404) -> Thing:
        of_kind = {"customer": self.customers, "refund": self.refunds, "dispute": self.disputes}
        things = of_kind.get(kind, self.intents)
        if name not in things:
            raise missing(kind, name, param, status)
        return things[name]

    def _method(self, name: str, status: int = 404) -> Thing:
        """pm_card_visa and its like stand for a new card at each use."""
        if name.removeprefix("pm_card_") in TEST_CARDS and name.startswith("pm_card_"):
            return self._keep(self.methods, new_payment_method(name.removeprefix("pm_card_")))
        if name not in self.methods:
            raise missing("PaymentMethod", name, "payment_method", status)
        return self.methods[name]

    def _attach(self, method: Thing, customer: str) -> Thing:
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
        return self._take(intent)

    def _take(self, intent: Thing) -> Thing:
        charge = self._keep(self.charges, new_charge(intent, succeeded=True))
        intent.update(status="succeeded", amount_received=intent["amount"], latest_charge=charge["id"])
        return intent


def signature(body: bytes, *, secret: str = WEBHOOK_SECRET, at: float | None = None) -> str:
    """The Stripe-Signature header of a webhook. https://docs.stripe.com/webhooks#verify-manually"""
    stamp = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def event(kind: str, thing: Thing, **fields: Any) -> bytes:
    """A webhook's body."""
    made = new("event", "evt", type=kind, api_version="2025-03-31.basil", data={"object": thing}, **fields)
    return json.dumps(made).encode()


def _metadata(request: Request) -> dict[str, str]:
    found = {name: re.fullmatch(r"metadata\[(.+)\]", name) for name in request.form}
    return {match[1]: request.get(name) for name, match in found.items() if match}


def _test_card(method: Thing) -> Any:
    return next(each for each in TEST_CARDS.values() if each.last4 == method["card"]["last4"])


def _page(request: Request, things: dict[str, Thing]) -> Thing:
    """Newest first. https://docs.stripe.com/api/pagination"""
    since = int(request.get("created[gte]", "0"))
    wanted = {name: request.get(name) for name in ("customer", "charge") if name in request.query}
    data = [
        each
        for each in reversed(things.values())
        if each["created"] >= since and all(each[name] == value for name, value in wanted.items())
    ]
    after, limit = request.get("starting_after"), int(request.get("limit", "10"))
    if not 1 <= limit <= 100:
        raise invalid(f"Invalid integer: {limit}", param="limit")
    start = [each["id"] for each in data].index(after) + 1 if after else 0
    more = len(data) > start + limit
    return {"object": "list", "url": request.path, "has_more": more, "data": data[start : start + limit]}
