"""The money machine's people: they sign up, have cards, pay, wait, and lose what they had. What follows at Stripe, what
goes back and what must hold is in `test_money_machine.py`.
"""

from contextlib import contextmanager
from datetime import timedelta
from enum import Enum, auto

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from billing.audit.invariants import check_ledger
from billing.models import TopUp
from core.wire import dollars
from tests.billing.model_bank import CENT, WAITS, Bank, Customer, Person, Trouble
from tests.doubles.server import Fault
from tests.doubles.stripe import event
from users.models import User

MOVES = ("/v1/payment_intents", "/v1/refunds")
FAULTS = {Trouble.LOST: Fault.LOSE_ANSWER, Trouble.DROPPED: Fault.DROP, Trouble.BROKEN: Fault.SERVER_ERROR}
CARDS = {
    "visa": "tok_visa",
    "chargeCustomerFail": "tok_chargeCustomerFail",
    "authenticationRequired": "pm_card_authenticationRequired",
    "reserved": "pm_card_reserved",
}
numbers = st.integers(0, 999)
cents = st.sampled_from([100, 250, 2000])
keys = st.sampled_from([None, None, "k1", "k2"])
any_trouble = st.sampled_from(Trouble)
up_or_down = st.sampled_from([Trouble.NONE, Trouble.DOWN])


class Heard(Enum):
    """What Stripe tells of what it did: nothing, or at once (of a refund by its payment), or it is late."""

    NOT = auto()
    AT_ONCE = auto()
    OF_CHARGE = auto()
    LATER = auto()


heard = st.sampled_from(Heard)


class Faults:
    """Takes the place of the double's own: by what is asked, not by its number."""

    def __init__(self, double, trouble):
        self.double, self.trouble = double, trouble

    def popleft(self):
        request = self.double.requests[-1]
        if self.trouble is Trouble.DOWN:
            return Fault.DROP
        return FAULTS.get(self.trouble) if request.method == "POST" and request.path in MOVES else None


ACTIONS = []


def happens(is_possible, **given):
    """What may happen at each step, all equally often: Hypothesis's own rules are switched off by halves for each
    sequence, of which a few then tell little."""

    def register(action):
        ACTIONS.append((action.__name__, is_possible, given))
        return action

    return register


def always(machine):
    return True


def picked(things, number):
    return things[number % len(things)]


class People(RuleBasedStateMachine):
    def __init__(self, api, send, double):
        super().__init__()
        self.api, self.send, self.double = api, send, double
        double.__init__()  # forgets the last example's money
        self.bank, self.letters, self.made, self.unreconciled = Bank(), [], 0, 0
        self.example = transaction.atomic()
        self.example.__enter__()

    def teardown(self):
        """At the end the ledger is sound: it is append-only, so that it was so at each step."""
        try:
            wrong = [each for each in check_ledger(now=timezone.now()) if each.wrong and not each.is_warning]
        finally:
            transaction.set_rollback(True)
            self.example.__exit__(None, None, None)
        assert wrong == []

    def id_of(self, thing):
        return thing.name.removeprefix("stripe:")

    @contextmanager
    def trouble(self, trouble):
        self.double.faults = Faults(self.double, trouble)
        yield
        self.double.faults = []

    def number(self):
        self.made += 1
        return self.made

    @rule(data=st.data())
    def something_happens(self, data):
        possible = {name: given for name, is_possible, given in ACTIONS if is_possible(self)}
        name = data.draw(st.sampled_from(list(possible)))
        getattr(self, name)(**{key: data.draw(strategy, key) for key, strategy in possible[name].items()})

    # People

    @initialize()
    def two_people_have_paid(self):
        for _ in range(2):
            self.sign_up()
            self.adds_money(self.bank.people[-1], 2000, None, Trouble.NONE)

    def sign_up(self):
        email = f"{self.number()}@example.com"
        user = User.objects.get(pk=self.api.post("/api/users", {"email": email}).json()["id"])
        self.api.put(f"/api/users/{user.pk}/accountBalance", {"accountBalance": 1})  # opens the account
        person = Person(user.pk, user.account.pk, email, Customer())
        self.bank.people.append(person)
        self.bank.adjusted[person] = 100 * CENT
        self.takes_card(person, "visa")

    @happens(always, number=numbers, wished=st.integers(-5_00, 50_00))
    def lives(self, number, wished):
        """Goes, is joined by another one, or has their balance set."""
        person, what = picked(self.bank.present(), number), number % 5
        if what == 0 and len(self.bank.present()) > 1:
            assert self.api.delete(f"/api/users/{person.id}").status_code == 200
            person.gone = True
        elif what <= 2 and len(self.bank.people) < 5:
            self.sign_up()
        else:
            self.balance_is_set(person, wished)

    def takes_card(self, person, kind):
        answer = self.api.post("/api/billing/updateCreditCard", {"userId": person.id, "sourceId": CARDS[kind]})
        assert answer.status_code == 200
        card = answer.json()["updatedSource"]
        self.bank.takes_card(person, kind, card["id"], card["last4"])

    @happens(always, number=numbers, is_told=st.booleans(), is_default=st.booleans())
    def loses_a_card(self, number, is_told, is_default):
        """It is taken off the file at Stripe, the one that they pay with or another one; it may be told twice."""
        person = picked(self.bank.present(), number)
        on_file = [card for card in person.cards if card.works and (card is person.default) == is_default]
        if on_file:
            self.is_detached(person, picked(on_file, number), told=is_told * (1 + number % 2))

    @happens(always, number=numbers, is_told=st.booleans())
    def loses_their_customer(self, number, is_told):
        """It is deleted in Stripe's dashboard. Most enter a card again soon."""
        person = picked(self.bank.present(), number)
        if person.customer and person.customer.alive:
            deleted = self.double.delete_customer(User.objects.get(pk=person.id).stripe_id)
            person.customer.alive = False
            if is_told:
                assert self.send(event("customer.deleted", deleted)).status_code == 204
                self.bank.forget(person, person.customer)
        if number % 3:
            self.takes_card(person, "visa")

    @happens(always, number=numbers, is_told=st.booleans())
    def the_card_before_this_one_goes(self, number, is_told):
        """They have two; the one that does not pay any more is taken off the file, and it is told perhaps twice."""
        person = picked(self.bank.present(), number)
        self.takes_card(person, "visa")
        card = person.default
        self.takes_card(person, "visa")
        self.is_detached(person, card, told=is_told * (1 + number % 2))

    @happens(always, number=numbers, cents=cents)
    def pays_by_a_card_that_is_gone(self, number, cents):
        """It was taken off the file, and nobody has told of it: the payment finds out."""
        person = picked(self.bank.present(), number)
        self.takes_card(person, "visa")
        self.is_detached(person, person.default, told=0)
        self.adds_money(person, cents, None, Trouble.NONE)

    def is_detached(self, person, card, *, told):
        body = event("payment_method.detached", self.double.detach(card.name))
        for _ in range(told):
            assert self.send(body).status_code == 204
        self.bank.detach(person, card, is_told=told > 0)

    @happens(lambda self: self.bank.reserved_by_some(), number=numbers, more=st.sampled_from((-1, 0, 1)))
    def balance_is_set_to_what_is_reserved(self, number, more):
        """Or to a cent more or less."""
        person = picked(self.bank.reserved_by_some(), number)
        self.balance_is_set(person, self.bank.reserved(person) // CENT + more)

    def balance_is_set(self, person, wished):
        body, is_free = {"accountBalance": dollars(wished * CENT)}, self.bank.would_set(person, wished)
        status = self.api.put(f"/api/users/{person.id}/accountBalance", body).status_code
        assert status == (200 if is_free else 409)
        if is_free:
            self.bank.adjusted[person] += wished * CENT - self.bank.balance(person)

    # Adding money

    @happens(always, number=numbers, card=st.sampled_from(list(CARDS)), cents=cents)
    def takes_a_card_and_pays(self, number, card, cents):
        person = picked(self.bank.present(), number)
        self.takes_card(person, card)
        self.adds_money(person, cents, None, Trouble.NONE)

    @happens(always, number=numbers, cents=cents, key=keys, trouble=any_trouble)
    def pays(self, number, cents, key, trouble):
        self.adds_money(picked(self.bank.present(), number), cents, key, trouble)

    @happens(always, number=numbers, cents=cents, key=keys, trouble=any_trouble)
    def pays_by_another_card(self, number, cents, key, trouble):
        """One that is named, and is not the one that pays else; it may be off the file by now."""
        person = picked(self.bank.present(), number)
        others = [card for card in person.cards if card is not person.default]
        if others and person.customer:
            self.adds_money(person, cents, key, trouble, source=picked(others, number))

    def adds_money(self, person, cents, key, trouble, source=None):
        route, body = "addMoney", {"userId": person.id, "amountToAdd": cents / 100}
        if source:
            customer = User.objects.get(pk=person.id).stripe_id
            route, body = "createCharge", {"userStripeId": customer, "sourceId": source.name, "amountToAdd": cents}
        with self.trouble(trouble), self.charges():
            answer = self.api.post(f"/api/billing/{route}", body, headers={"Idempotency-Key": key} if key else {})
            status, said = self.bank.add_money(person, cents, key, trouble, source)
        assert answer.status_code == status
        if status == 200 and source and "errorMessage" not in said:
            assert answer.json()["charge"]["status"] == "succeeded"
        elif status == 200:
            assert {name: answer.json()[name] for name in said} == said

    @contextmanager
    def charges(self):
        """Stripe has heard of exactly those payments that it should have heard of."""
        before = set(self.double.intents)
        yield
        new = [intent for name, intent in self.double.intents.items() if name not in before]
        heard, self.bank.unnamed = self.bank.unnamed, []
        assert [(self.double.customers[each["customer"]]["email"], each["amount"]) for each in new] == [
            (each.person.email, each.cents) for each in heard
        ]
        for purchase, intent in zip(heard, new, strict=True):
            purchase.name = f"stripe:{intent['id']}"

    @happens(lambda self: self.bank.unsettled(), number=numbers, is_given=st.booleans())
    def time_passes(self, number, is_given):
        """For an open payment minutes; for one that waits for consent days, or it is given; or it is captured."""
        purchase = picked(self.bank.unsettled(), number)
        if purchase.state == "consent" and is_given and purchase.outcome in WAITS:
            self.goes_through(purchase, captured=purchase.cents // (1 + number % 2))
            return
        status, long = (
            ("pending", timedelta(minutes=11)) if purchase.state == "open" else ("consent", timedelta(days=2))
        )
        mine = TopUp.objects.filter(account=purchase.person.account, status=status)
        assert mine.update(created_at=F("created_at") - long) == 1
        purchase.gets_old()

    def goes_through(self, purchase, captured):
        if purchase.outcome == "requires_action":
            self.double.consent(self.id_of(purchase))
        else:
            self.double.captured(self.id_of(purchase), captured)
            purchase.captured = captured
        purchase.outcome = "succeeded"
