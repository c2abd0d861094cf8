"""Clients that poll over kept connections, as open pages do, and hold each answer against what may be shown."""

import random
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import Event

from bench.faults.facts import Fact, shown

PATIENCE = 60.0
"""Seconds that a client waits: longer than the server may take."""


class Outcome(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    UNAVAILABLE = "503"
    """A problem document that says when to try again."""
    LOST = "lost"
    """Anything else: another status, or no answer though it was asked again."""


@dataclass(frozen=True)
class Poll:
    begun: float
    """By the monotonic clock; so is `over`."""
    over: float
    outcome: Outcome
    was_sent_again: bool
    """The connection ended before anything came, and it was sent once more, as browsers do with a GET.
    https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1"""
    words: str

    @property
    def seconds(self) -> float:
        return self.over - self.begun


class Poller:
    def __init__(self, port: int, facts: list[Fact], tokens: list[str], rate: float, seed: int) -> None:
        self.port, self.facts, self.tokens, self.rate = port, facts, tokens, rate
        self.chance = random.Random(seed)
        self.connection: HTTPConnection | None = None
        self.tags: dict[str, tuple[str, int]] = {}
        """Of each path: the tag that came last, and what its answer showed."""
        self.polls: list[Poll] = []

    def run(self, stop: Event) -> None:
        while not stop.wait(self.chance.uniform(0.5, 1.5) / self.rate):
            self.poll(self.chance.choice(self.facts))

    def poll(self, fact: Fact) -> None:
        tag, number = self.tags.get(fact.path, ("", 0)) if self.chance.random() < 0.5 else ("", 0)
        headers = {"Authorization": f"Bearer {self.tokens[fact.caller - 1]}", **({"If-None-Match": tag} if tag else {})}
        since, begun, tries = fact.confirmed, time.monotonic(), 0
        outcome, words = Outcome.LOST, ""
        while tries < 2 and outcome is Outcome.LOST:
            tries += 1
            try:
                answer, body = self.ask(fact.path, headers)
            except (HTTPException, OSError) as fault:
                self.close()
                words = type(fault).__name__
                if isinstance(fault, TimeoutError):
                    break
                continue
            outcome, words = self.judge(fact, since, number, answer, body)
            break
        self.polls.append(Poll(begun, time.monotonic(), outcome, tries > 1, words))

    def ask(self, path: str, headers: dict[str, str]) -> tuple[HTTPResponse, bytes]:
        if self.connection is None:
            self.connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        self.connection.request("GET", path, headers=headers)
        answer = self.connection.getresponse()
        return answer, answer.read()

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def judge(self, fact: Fact, since: int, known: int, answer: HTTPResponse, body: bytes) -> tuple[Outcome, str]:
        kind, wait = answer.headers["Content-Type"], answer.headers["Retry-After"]
        words = f"GET {fact.path}: {answer.status} {body[:300]!r}"
        if answer.status == 503 and kind == "application/problem+json" and wait:
            return Outcome.UNAVAILABLE, words
        number: int | None = None
        if answer.status == 304:
            number = known
        else:
            with suppress(ValueError, LookupError, TypeError):
                number = shown(fact, answer.status, body)
        if number is None:
            return Outcome.LOST, words
        if not fact.could_show(number, since):
            return Outcome.WRONG, f"{words}, where {since} to {fact.written} would be right"
        if fact.each == 1:
            fact.is_at_least(number)
            self.tags[fact.path] = answer.headers["ETag"], number
        return Outcome.RIGHT, ""


def between(pollers: list[Poller], begun: float, over: float) -> Iterator[Poll]:
    """Those that were under way at any time between these."""
    for poller in pollers:
        yield from (poll for poll in [*poller.polls] if poll.over >= begun and poll.begun <= over)
