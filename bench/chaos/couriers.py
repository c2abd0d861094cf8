"""Stripe's webhooks: signed, each some time later, many twice, some never, and again where nobody took them."""

import heapq
import random
import time
from collections.abc import Callable
from itertools import count
from threading import Event, Lock

from bench.chaos.line import Line
from tests.doubles.stripe import event, signature
from tests.doubles.stripe_objects import Thing

PATH = "/api/billing/stripeWebhook"
NEVER, TWICE, AT_ONCE = 0.2, 0.3, 0.5
LATEST = 6.0  # seconds
MOST_TRIES, PAUSE = 10, 1.0
COURIERS, IDLE = 4, 0.01


class Outbox:
    """What Stripe still has to do, by when it is due."""

    def __init__(self, seed: int) -> None:
        self.chance, self.numbers = random.Random(f"webhooks {seed}"), count()
        self.lock, self.busy = Lock(), 0
        self.due: list[tuple[float, int, Callable[[], None]]] = []
        self.told = self.never = self.given_up = 0
        self.line: Line | None = None

    def tell(self, kind: str, thing: Thing) -> None:
        self.told += 1
        if self.chance.random() < NEVER:
            self.never += 1
            return
        body = event(kind, thing)
        for _ in range(2 if self.chance.random() < TWICE else 1):
            seconds = 0.0 if self.chance.random() < AT_ONCE else self.chance.uniform(0, LATEST)
            self.later(seconds, lambda: self.deliver(body, 1))

    def deliver(self, body: bytes, attempt: int) -> None:
        assert self.line
        answer = self.line.ask("stripeWebhook", "POST", PATH, body, **{"Stripe-Signature": signature(body)})
        if answer.is_success:
            return
        if attempt < MOST_TRIES:
            self.later(PAUSE, lambda: self.deliver(body, attempt + 1))
        else:
            self.given_up += 1

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        with self.lock:
            heapq.heappush(self.due, (time.monotonic() + seconds, next(self.numbers), what))

    def work(self, stop: Event) -> None:
        """One courier's: until it shall stop and nothing is left to do."""
        while not (stop.is_set() and self.is_done()):
            what = self.take()
            if what is None:
                time.sleep(IDLE)
                continue
            try:
                what()
            finally:
                with self.lock:
                    self.busy -= 1

    def take(self) -> Callable[[], None] | None:
        with self.lock:
            if not self.due or self.due[0][0] > time.monotonic():
                return None
            self.busy += 1
            return heapq.heappop(self.due)[2]

    def is_done(self) -> bool:
        with self.lock:
            return not (self.due or self.busy)
