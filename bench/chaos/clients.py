"""People who add money and change their cards, all at once, and remember what they were told."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from threading import Event
from typing import Any

from bench.chaos.line import Answer, Line

TRIES = (2, 50)  # of a payment with a key; what a killed worker left is taken up by another after half a minute
LONGEST_PAUSE = 0.7  # seconds: the server asks for more, and gets less
WITH_KEY, ASKED_AGAIN, IMPATIENT = 0.7, 0.1, 0.1
CARDS = ("tok_visa", "tok_mastercard", "tok_chargeCustomerFail", "pm_card_authenticationRequired")
SOURCES = (None, "tok_visa", "tok_chargeDeclined")
FIRST_CARD = "tok_visa"


@dataclass(frozen=True)
class Person:
    id: int
    token: str
    customer: str
    amounts: Iterator[int] = field(default_factory=lambda: count(100), compare=False)
    """In cents. None comes twice: the amount says which wish a payment fulfils."""


@dataclass(frozen=True)
class Promise:
    """A payment that the server said was done. What it named: the new balance, or the payment."""

    person: Person
    cents: int
    balance_micros: int | None
    payment: str | None


@dataclass(frozen=True)
class Refusal:
    """A payment that the server said was not done, and never will be."""

    person: Person
    cents: int


class Client:
    """One of many threads; each pays for whomever chance says."""

    def __init__(self, line: Line, people: list[Person], seed: str) -> None:
        self.line, self.people, self.seed = line, people, seed
        self.chance, self.keys = random.Random(seed), count(1)
        self.promises, self.refusals, self.consents = list[Promise](), list[Refusal](), 0

    def run(self, stop: Event) -> None:
        actions = (self.add_money, self.create_charge, self.change_card)
        while not stop.is_set():
            (act,) = self.chance.choices(actions, (6, 2, 2))
            act(self.chance.choice(self.people), stop)

    def add_money(self, person: Person, stop: Event) -> None:
        cents = next(person.amounts)
        body = {"userId": person.id, "amountToAdd": f"{cents // 100}.{cents % 100:02}"}
        self.pay(person, cents, "addMoney", body, stop)

    def create_charge(self, person: Person, stop: Event) -> None:
        cents, source = next(person.amounts), self.chance.choice(SOURCES)
        body = {"userStripeId": person.customer, "amountToAdd": cents, **({"sourceId": source} if source else {})}
        self.pay(person, cents, "createCharge", body, stop)

    def change_card(self, person: Person, stop: Event) -> None:
        (source,) = self.chance.choices(CARDS, (6, 3, 1, 2))
        self.ask(person, "updateCreditCard", {"userId": person.id, "sourceId": source})

    def pay(self, person: Person, cents: int, door: str, body: dict[str, Any], stop: Event) -> None:
        """With a key it is tried again until it is answered; without one nobody knows whether it would be another."""
        key = f"{self.seed}-{next(self.keys)}" if self.chance.random() < WITH_KEY else ""
        headers = {"Idempotency-Key": key} if key else {}
        for _ in range(self.chance.randint(*TRIES) if key else 1):
            answer = self.ask(person, door, body, **headers)
            if answer.status == 200:
                self.remember(person, cents, answer.data)
                if not key or self.chance.random() >= ASKED_AGAIN:
                    return
            if stop.wait(min(LONGEST_PAUSE, float(answer.wait or 0.1))):
                return

    def ask(self, person: Person, door: str, body: dict[str, Any], **headers: str) -> Answer:
        """Some hang up early, and the server goes on without them."""
        hurry = {"patience": self.chance.uniform(0.05, 0.5)} if self.chance.random() < IMPATIENT else {}
        sign_in = {"Authorization": f"Bearer {person.token}"}
        return self.line.ask(door, "POST", f"/api/billing/{door}", body, **hurry, **sign_in, **headers)

    def remember(self, person: Person, cents: int, told: dict[str, Any]) -> None:
        if "clientSecret" in told:
            self.consents += 1
        elif "errorMessage" in told:
            self.refusals.append(Refusal(person, cents))
        elif "charge" in told:
            self.promises.append(Promise(person, cents, None, told["charge"]["id"]))
        else:
            balance = round(told["updatedAccountBalance"] * 100) * 10_000
            self.promises.append(Promise(person, cents, balance, None))


def introduce(line: Line, known: list[dict[str, Any]]) -> list[Person]:
    """Everybody puts a card on file, while nothing is broken yet."""
    people = []
    for each in known:
        sign_in = {"Authorization": f"Bearer {each['token']}"}
        card = {"userId": each["id"], "sourceId": FIRST_CARD}
        line.ask("updateCreditCard", "POST", "/api/billing/updateCreditCard", card, **sign_in)
        account = line.ask("users/:id", "GET", f"/api/users/{each['id']}", **sign_in)
        people.append(Person(each["id"], each["token"], account.data["stripeId"]))
    return people


def watch(line: Line, person: Person, stop: Event) -> None:
    """Asks for a balance all the time, so that no moment goes unnoticed."""
    while not stop.wait(0.1):
        path = f"/api/users/{person.id}/accountBalance"
        line.ask("accountBalance", "GET", path, patience=5, Authorization=f"Bearer {person.token}")
