"""Who should have what, in plain Python: what became of money at Stripe, and what the server was told of it."""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum, auto

CENT = 10_000
MINUTE = 1_800  # the conference's fee
OUTCOMES = {
    "visa": "succeeded",
    "chargeCustomerFail": "declined",
    "authenticationRequired": "requires_action",
    "reserved": "requires_capture",
}
CONSENT = "Your bank wants you to confirm this payment."
EXPIRED = "The payment was not completed in time and nothing was charged. Please try again."
RESERVED = "Your bank has reserved this payment, and nothing was taken yet. The next payment gives it free."
GONE = "Your card is not on file any more, and nothing was charged. Enter it again."
NO_CARD = "There is no card on file. Add one first."
UNUSABLE = "This card cannot be used. Enter it again."
WAITS = {"requires_action": CONSENT, "requires_capture": RESERVED}
REFUSALS = {"declined": "Your card was declined.", "canceled": EXPIRED}
CAME_BACK = ("failed", "canceled")
SETTLED = ("won", "lost", "warning_closed")


class Trouble(Enum):
    """What happens to requests that move money at Stripe, or with DOWN to all."""

    NONE = auto()
    LOST = auto()
    DROPPED = auto()
    BROKEN = auto()
    DOWN = auto()


@dataclass(eq=False)
class Customer:
    """At Stripe, where it may be deleted before the server knows."""

    alive: bool = True


@dataclass(eq=False)
class Card:
    kind: str
    name: str
    last4: str
    customer: Customer
    detached: bool = False

    @property
    def works(self) -> bool:
        return self.customer.alive and not self.detached


@dataclass(eq=False)
class Person:
    id: int
    account: int
    email: str
    customer: Customer | None = None
    cards: list[Card] = field(default_factory=list)
    default: Card | None = None  # at Stripe
    shown: Card | None = None  # what the server takes it to be
    gone: bool = False

    @property
    def last4(self) -> str | None:
        return self.shown and self.shown.last4


@dataclass(eq=False)
class Thing:
    """It moves somebody's money. The server's references hold its name."""

    person: Person
    name: str


@dataclass(eq=False)
class Purchase(Thing):
    """A wish to add money: charged once at most, and on the balance once."""

    cents: int
    key: str | None
    customer: Customer
    source: Card | None = None  # the one that was named
    state: str = "open"
    card: Card | None = None
    captured: int | None = None  # where it is less
    outcome: str = ""  # at Stripe; empty where it has not heard of it
    burnt: bool = False  # Stripe keeps a fault of its own under its key
    old: bool = False  # too old to be charged
    stale: bool = False  # too old to be consented to
    message: str = ""
    balance: int = 0  # when it was posted

    @property
    def brought(self) -> int:
        return self.cents if self.captured is None else self.captured

    def gets_old(self) -> None:
        self.stale = self.state == "consent"
        self.old = True


@dataclass(eq=False)
class Refund(Thing):
    purchase: Purchase
    cents: int
    status: str


@dataclass(eq=False)
class Request:
    """An operator's wish to give money back, the answer lost; `refund` is what Stripe has made of it, if it has."""

    purchase: Purchase
    cents: int
    refund: Refund | None = None


@dataclass(eq=False)
class Dispute(Thing):
    purchase: Purchase
    status: str
    withdrawn: int
    reinstated: int = 0

    @classmethod
    def of(cls, purchase: Purchase, name: str, status: str) -> "Dispute":
        return cls(purchase.person, name, purchase, status, purchase.brought if status == "needs_response" else 0)

    @property
    def is_open(self) -> bool:
        return self.status.endswith("needs_response")

    def is_opened(self) -> None:
        """The card's owner was not content with the answer to their inquiry."""
        self.status, self.withdrawn = "needs_response", self.purchase.brought

    def ends(self, status: str) -> None:
        """An inquiry moves nothing and is closed."""
        self.status = status if self.withdrawn else "warning_closed"
        self.reinstated = self.withdrawn if self.status == "won" else 0


@dataclass(eq=False)
class Call(Thing):
    minutes: int


@dataclass(frozen=True)
class Letter:
    """What Stripe tells: how a thing was when it wrote. `about` is a purchase whose refunds must be asked for, too."""

    id: str
    kind: str
    body: bytes
    about: Purchase | Refund | Dispute
    status: str
    withdrawn: int = 0
    reinstated: int = 0


class Bank:
    def __init__(self) -> None:
        self.people: list[Person] = []
        self.purchases: list[Purchase] = []
        self.refunds: list[Refund] = []
        self.under_way: list[Request] = []
        self.disputes: list[Dispute] = []
        self.known: dict[Dispute, bool] = {}  # to the server: whether it is settled
        self.calls: list[Call] = []
        self.posted: dict[tuple[Thing, str], int] = {}
        self.adjusted: Counter[Person] = Counter()
        self.unnamed: list[Purchase] = []  # Stripe has just heard of them
        self.applied: set[str] = set()
        self.waiting: list[Letter] = []

    # What there is

    def present(self) -> list[Person]:
        return [person for person in self.people if not person.gone]

    def balance(self, person: Person) -> int:
        return self.adjusted[person] + sum(self.posted[key] for key in self.posted if key[0].person is person)

    def statement(self) -> dict[tuple[int, str], int]:
        """What each account should have for each thing."""
        lines = {(thing.person.account, f"{thing.name}{end}"): micros for (thing, end), micros in self.posted.items()}
        lines |= {(person.account, "adjustment"): micros for person, micros in self.adjusted.items()}
        return {line: micros for line, micros in lines.items() if micros}

    def at_stripe(self) -> int:
        """What our account there should hold, in cents."""
        paid = sum(each.brought for each in self.purchases if each.outcome == "succeeded")
        given_back = sum(each.cents for each in self.refunds if each.status not in CAME_BACK)
        return paid - given_back + sum(each.reinstated - each.withdrawn for each in self.disputes)

    def paid(self) -> list[Purchase]:
        return [each for each in self.purchases if each.outcome == "succeeded"]

    def collected(self) -> list[Purchase]:
        return [each for each in self.purchases if each.state == "succeeded"]

    def unsettled(self) -> list[Purchase]:
        return [
            each
            for each in self.purchases
            if (each.state == "open" and not each.old) or (each.state == "consent" and not each.stale)
        ]

    def on_their_way(self) -> list[Refund]:
        return [each for each in self.refunds if each.status not in CAME_BACK]

    def undisputed(self) -> list[Purchase]:
        disputed = [each.purchase for each in self.disputes]
        return [each for each in self.paid() if each not in disputed]

    def open_disputes(self) -> list[Dispute]:
        return [each for each in self.disputes if each.is_open]

    def left_of(self, purchase: Purchase) -> int:
        given_back = [each for each in self.refunds if each.purchase is purchase and each.status not in CAME_BACK]
        return purchase.brought - sum(each.cents for each in given_back)

    # Cards

    def takes_card(self, person: Person, kind: str, name: str, last4: str) -> None:
        if person.customer is None or not person.customer.alive:
            person.customer = Customer()
        person.default = person.shown = Card(kind, name, last4, person.customer)
        person.cards.append(person.default)

    def detach(self, person: Person, card: Card, *, is_told: bool) -> None:
        card.detached = True
        if person.default is card:
            person.default = None
        if is_told and person.shown is card:
            person.shown = None

    def forget(self, person: Person, customer: Customer) -> None:
        """The server has found out that it is gone."""
        if person.customer is customer:
            person.customer = person.default = person.shown = None

    def stopped(self) -> set[int]:
        """The accounts that start no calls."""
        return {dispute.person.account for dispute, settled in self.known.items() if not settled}

    # Adding money

    def add_money(
        self, person: Person, cents: int, key: str | None, trouble: Trouble, source: Card | None = None
    ) -> tuple[int, dict[str, object]]:
        """The status and the answer."""
        while True:
            if person.customer is None and trouble is Trouble.DOWN:
                return 503, {}
            person.customer = person.customer or Customer()
            known = next((each for each in self.purchases if key and (each.person, each.key) == (person, key)), None)
            if known and (known.cents, known.source) != (cents, source):
                return 422, {}
            if known and known.state != "open":
                return 200, answer(known)
            left = self.left_open(person)
            purchase = left or self.wish(person, cents, key, person.customer, source)
            if not self.finish(purchase, trouble, look_first=left is not None):
                return 503, {}
            if purchase is not left or (left.key == key if key else (left.cents, left.source) == (cents, source)):
                return 200, answer(purchase)

    def left_open(self, person: Person) -> Purchase | None:
        return next((each for each in self.purchases if each.person is person and each.state == "open"), None)

    def wish(self, person: Person, cents: int, key: str | None, customer: Customer, source: Card | None) -> Purchase:
        self.purchases.append(Purchase(person, "", cents, key, customer, source))
        return self.purchases[-1]

    def finish(self, purchase: Purchase, trouble: Trouble, *, look_first: bool) -> bool:
        """Whether Stripe has answered; else it stays open."""
        if trouble is Trouble.DOWN:
            return False
        for each in self.purchases:
            if each.person is purchase.person and each.state == "consent":
                self.cancel(each)
        if look_first and purchase.outcome:
            self.settle(purchase)
        elif look_first and (purchase.old or purchase.person.gone):
            refuse(purchase, EXPIRED)
        else:
            return self.charge(purchase, trouble)
        return True

    def charge(self, purchase: Purchase, trouble: Trouble) -> bool:
        default = purchase.person.default if purchase.customer.alive else None
        purchase.card = purchase.card or purchase.source or default
        if purchase.card is None:
            return self.has_no_card(purchase)
        purchase.burnt = purchase.burnt or trouble is Trouble.BROKEN
        if purchase.burnt or trouble is Trouble.DROPPED:
            return False
        if not purchase.customer.alive:
            return trouble is not Trouble.LOST and self.has_no_card(purchase)
        if not purchase.card.works:
            return trouble is not Trouble.LOST and self.has_no_use(purchase)
        purchase.outcome = OUTCOMES[purchase.card.kind]
        self.unnamed.append(purchase)
        if trouble is Trouble.LOST:
            return False
        self.settle(purchase)
        return True

    def has_no_card(self, purchase: Purchase) -> bool:
        """Of which the server learns."""
        refuse(purchase, NO_CARD if purchase.customer.alive else GONE)
        if purchase.customer.alive:
            purchase.person.shown = None
        else:
            self.forget(purchase.person, purchase.customer)
        return True

    def has_no_use(self, purchase: Purchase) -> bool:
        refuse(purchase, UNUSABLE)
        return True

    def cancel(self, purchase: Purchase) -> None:
        if purchase.outcome in WAITS:
            purchase.outcome = "canceled"
        self.settle(purchase)

    def settle(self, purchase: Purchase) -> None:
        if purchase.outcome == "succeeded":
            self.collect(purchase)
        elif purchase.outcome in WAITS:
            purchase.state, purchase.message = "consent", WAITS[purchase.outcome]
        elif purchase.state in ("open", "consent"):
            refuse(purchase, REFUSALS[purchase.outcome])

    def collect(self, purchase: Purchase) -> None:
        if purchase.state != "succeeded":
            self.posted[purchase, ""] = purchase.brought * CENT
            purchase.state, purchase.balance = "succeeded", self.balance(purchase.person)

    # What Stripe tells

    def hear(self, letter: Letter, trouble: Trouble) -> int:
        """The status of the answer."""
        if letter.id in self.applied:
            return 204
        unheard = not isinstance(letter.about, Purchase) and letter.about.purchase.state != "succeeded"
        if trouble is Trouble.DOWN and (unheard or letter.kind == "charge.refunded"):
            self.waiting += [] if letter in self.waiting else [letter]
            return 503
        self.follow(letter)
        self.applied.add(letter.id)
        self.waiting = [each for each in self.waiting if each != letter]
        return 204

    def follow(self, letter: Letter) -> None:
        about = letter.about
        if letter.kind == "charge.refunded":
            for refund in self.refunds:
                if refund.purchase is about:
                    self.give_back(refund, refund.status)
        elif isinstance(about, Purchase):
            self.settle(about)
        elif isinstance(about, Refund):
            self.give_back(about, letter.status)
        else:
            self.move_disputed(about, letter.withdrawn, letter.reinstated)
            self.note(about, letter.status)

    def reserved(self, person: Person) -> int:
        return sum(each.cents for each in self.under_way if each.purchase.person is person) * CENT

    def reserved_by_some(self) -> list[Person]:
        """Those for whom a refund is under way."""
        return [person for person in self.present() if self.reserved(person)]

    def would_set(self, person: Person, wished: int) -> bool:
        """Whether a balance can be set by hand: what is reserved cannot be taken away."""
        return wished * CENT >= min(self.balance(person), self.reserved(person)) or not self.reserved(person)

    def give_back(self, refund: Refund, status: str) -> None:
        self.collect(refund.purchase)
        self.under_way = [each for each in self.under_way if each.refund is not refund]
        self.posted[refund, ""] = -refund.cents * CENT
        if status in CAME_BACK:
            self.posted[refund, ":failed"] = refund.cents * CENT

    def move_disputed(self, dispute: Dispute, withdrawn: int, reinstated: int) -> None:
        self.collect(dispute.purchase)
        if withdrawn:
            self.posted[dispute, ""] = -withdrawn * CENT
        if reinstated:
            self.posted[dispute, ":won"] = reinstated * CENT

    def note(self, dispute: Dispute, status: str) -> None:
        """An inquiry is no dispute yet, and what is settled stays so."""
        if dispute in self.known or not status.startswith("warning_"):
            self.known[dispute] = self.known.get(dispute, False) or status in SETTLED

    # The rest

    def reconcile(self) -> int:
        """How many it must leave: those that Stripe answers with the fault that it keeps."""
        left = 0
        for purchase in self.purchases:
            if purchase.state == "open":
                left += not self.finish(purchase, Trouble.NONE, look_first=True)
        for purchase in self.purchases:
            if purchase.state == "consent" and purchase.stale:
                self.cancel(purchase)
        for letter in self.waiting[:]:
            self.hear(letter, Trouble.NONE)
        for purchase in self.paid():
            self.collect(purchase)
        for refund in self.refunds:
            self.give_back(refund, refund.status)
        for dispute in self.disputes:
            is_news = bool(dispute.withdrawn) > ((dispute, "") in self.posted)
            is_news |= bool(dispute.reinstated) > ((dispute, ":won") in self.posted)
            self.move_disputed(dispute, dispute.withdrawn, dispute.reinstated)
            if is_news or self.known.get(dispute) is False:
                self.note(dispute, dispute.status)
        return left

    def would_refund(self, purchase: Purchase, cents: int, trouble: Trouble) -> tuple[str, bool]:
        """Why an operator's refund fails, or nothing; and whether Stripe makes it. What is under way is reserved."""
        waiting = sum(each.cents for each in self.under_way if each.purchase is purchase)
        if cents * CENT > self.balance(purchase.person) - self.reserved(purchase.person):
            return "too much", False
        if waiting and waiting + cents > purchase.brought:
            return "too much", False
        if trouble in (Trouble.DOWN, Trouble.DROPPED, Trouble.BROKEN):
            return "unavailable", False
        is_made = cents <= self.left_of(purchase)
        if trouble is Trouble.LOST:
            return "unavailable", is_made
        return "" if is_made else "refused", is_made

    def price(self, call: Call, price_micros: int) -> None:
        """A correction takes the place of what was charged before."""
        self.posted[call, ""] = price_micros - call.minutes * MINUTE


def refuse(purchase: Purchase, message: str) -> None:
    purchase.state, purchase.message = "refused", message


def answer(purchase: Purchase) -> dict[str, object]:
    if purchase.state == "succeeded":
        return {"updatedAccountBalance": purchase.balance // CENT / 100}
    return {"errorMessage": purchase.message}
