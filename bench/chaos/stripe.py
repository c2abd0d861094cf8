"""Stripe as nobody wants to meet it: it breaks connections, takes its time and fails, before and after charging.

What it does not do is keep a failure under a charge's key without having charged: such a payment is given up only
after ten minutes (`TRY_FOR`), longer than a run.
"""

import random
from collections import Counter
from contextlib import nullcontext
from enum import Enum
from threading import Lock

from bench.chaos.couriers import Outbox
from tests.doubles.server import Answer, Request
from tests.doubles.stripe import StripeDouble
from tests.doubles.stripe_objects import Thing, error

CHARGE = ("POST", "/v1/payment_intents")
OF_CHARGES, OF_OTHERS, LASTING = 0.3, 0.1, 0.5  # so many of the requests meet trouble
LATE, LATER, VERY_LATE = (0.05, 1.5), (1.0, 5.0), (10.5, 12.0)  # seconds; the server waits 10
RARELY = 0.02
CONSENTING = 0.6  # so many of those whose bank asks them say yes


class Trouble(Enum):
    DROPPED_BEFORE = "dropped before"
    DROPPED_AFTER = "dropped after"
    LATE_BEFORE = "late before"
    LATE_AFTER = "late after"
    DROPPED_AND_LATE = "dropped and done later"
    FAILED_BEFORE = "failed before"
    FAILED_AFTER = "failed after"


class Dropped(ConnectionError):  # noqa: N818  # what the double's handler takes for a client that hung up
    """The connection breaks without an answer."""


class ChaoticStripe(StripeDouble):
    def __init__(self, seed: int, outbox: Outbox) -> None:
        super().__init__()
        self.chance, self.outbox = random.Random(f"stripe {seed}"), outbox
        self.inside, self.lock = Lock(), nullcontext()  # its own lock is taken later: it must not wait holding it
        self.met: Counter[Trouble | None] = Counter()
        self.last: dict[str | None, Trouble | None] = {}
        self.calm = True

    def answer(self, request: Request) -> Answer:
        trouble = self.trouble_for(request)
        if trouble is Trouble.DROPPED_AND_LATE:
            self.outbox.later(self.chance.uniform(*LATER), lambda: self.do(request, None))
        if trouble in (Trouble.DROPPED_BEFORE, Trouble.DROPPED_AND_LATE):
            raise Dropped
        if trouble is Trouble.FAILED_BEFORE:
            return error(503, "api_error", "Stripe is overloaded")
        if trouble is Trouble.LATE_BEFORE:
            self.linger()
        answer = self.do(request, trouble)
        if trouble is Trouble.LATE_AFTER:
            self.linger()
        if trouble is Trouble.DROPPED_AFTER:
            raise Dropped
        return answer

    def do(self, request: Request, trouble: Trouble | None) -> Answer:
        with self.inside:
            is_first = request.headers["Idempotency-Key"] not in self.keys
            answer = super().answer(request)
            return self.failed(request, is_first=is_first) if trouble is Trouble.FAILED_AFTER else answer

    def trouble_for(self, request: Request) -> Trouble | None:
        """Trouble lasts: a request that comes again with its key often meets the same."""
        key = request.headers["Idempotency-Key"]
        often = OF_CHARGES if (request.method, request.path) == CHARGE else OF_OTHERS
        with self.inside:
            if self.calm:
                return None
            trouble = self.last.get(key) if key and self.chance.random() < LASTING else None
            if trouble is None and self.chance.random() < often:
                trouble = self.chance.choice(list(Trouble))
            self.last[key] = trouble
            self.met[trouble] += 1
            return trouble

    def linger(self) -> None:
        self.stopping.wait(self.chance.uniform(*(VERY_LATE if self.chance.random() < RARELY else LATE)))

    def failed(self, request: Request, *, is_first: bool) -> Answer:
        """A charge's failure stays under its key. https://docs.stripe.com/api/idempotent_requests"""
        answer = error(500, "api_error", "An unknown error occurred")
        answer.headers["Stripe-Should-Retry"] = "false"
        if (request.method, request.path) == CHARGE and is_first:
            self.keys[request.headers["Idempotency-Key"]] = (request.path, request.body), answer
        return answer

    # Its inside: what follows from a payment is told by webhooks

    def _confirm(self, intent: Thing, method: Thing) -> Thing | Answer:
        outcome = super()._confirm(intent, method)
        if intent["status"] == "requires_payment_method":
            self.outbox.tell("payment_intent.payment_failed", intent)
        if intent["status"] == "requires_action" and self.chance.random() < CONSENTING:
            self.outbox.later(self.chance.uniform(0, 3), lambda: self.say_yes(intent))
        return outcome

    def _take(self, intent: Thing) -> Thing:
        taken = super()._take(intent)
        self.outbox.tell("payment_intent.succeeded", taken)
        return taken

    def say_yes(self, intent: Thing) -> None:
        with self.inside:
            if intent["status"] == "requires_action":
                self.consent(intent["id"])

    def taken(self) -> list[Thing]:
        """The payments for which a card was charged."""
        with self.inside:
            return [dict(each) for each in self.intents.values() if each["status"] == "succeeded"]
