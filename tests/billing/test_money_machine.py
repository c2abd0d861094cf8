"""People, payments, lost answers, refunds, disputes, calls and deletions in any order: all money is where it should be.

`make money` plays longer, and other sequences each time (MONEY=300 are so many).
"""

import json
import os
from collections import Counter
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from enum import Enum, auto
from functools import partial

import pytest
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from rest_framework.exceptions import ValidationError

from billing.audit.invariants import check_ledger
from billing.audit.reconciliation import reconcile_payments
from billing.disputes import has_open_dispute
from billing.gateway.interface import PaymentsUnavailable, RefundRefused
from billing.models import Account, LedgerEntry, TopUp
from billing.refunds import refund
from core.wire import dollars
from tests.billing.model_bank import (
    CAME_BACK,
    CENT,
    WAITS,
    Bank,
    Call,
    Customer,
    Dispute,
    Letter,
    Person,
    Refund,
    Request,
    Trouble,
)
from tests.doubles.server import Fault
from tests.doubles.stripe import event
from tests.doubles.stripe_objects import declined
from users.models import User
from voice import models as voice
from voice.credit.prices import post_price

MOVES = ("/v1/payment_intents", "/v1/refunds")
FAULTS = {Trouble.LOST: Fault.LOSE_ANSWER, Trouble.DROPPED: Fault.DROP, Trouble.BROKEN: Fault.SERVER_ERROR}
CARDS = {
    "visa": "tok_visa",
    "chargeCustomerFail": "tok_chargeCustomerFail",
    "authenticationRequired": "pm_card_authenticationRequired",
    "reserved": "pm_card_reserved",
}
SETTLED_IN = ({}, {"into": "eur", "rate": 0.9286})  # of the operator's account; these cents come back whole
DISPUTED = ("needs_response", "warning_needs_response")
ERRORS = {"too much": ValidationError, "refused": RefundRefused, "unavailable": PaymentsUnavailable}
SHORT = 7
"""Sequences of fifty steps; Hypothesis's first is of one action alone."""
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


class MoneyMachine(RuleBasedStateMachine):
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

    # Money that goes back

    @happens(always, number=numbers, cents=cents, trouble=any_trouble)
    def operator_gives_back(self, number, cents, trouble):
        self.gives_back(picked(self.bank.collected(), number), cents, trouble)

    @happens(always, number=numbers, more=st.sampled_from((0, 1)))
    def operator_gives_back_all_that_is_free(self, number, more):
        """Or a cent more; of a balance of whole cents, of which some may be reserved."""
        purchase = picked(self.bank.collected(), number)
        reserved = self.bank.reserved(purchase.person) // CENT
        if not purchase.person.gone:
            self.balance_is_set(purchase.person, reserved + 100 + number % 100)
            self.gives_back(purchase, 100 + number % 100 + more, Trouble.NONE)

    @happens(always, number=numbers)
    def operator_gives_back_twice(self, number):
        """All of it each time: the first may be on its way, have come back, or be all that there was."""
        purchase = picked(self.bank.collected(), number)
        if not purchase.person.gone:
            self.balance_is_set(purchase.person, self.bank.reserved(purchase.person) // CENT + 3 * purchase.brought)
            self.gives_back(purchase, purchase.brought, Trouble.NONE)
            self.gives_back(purchase, purchase.brought, Trouble.NONE)

    def gives_back(self, purchase, cents, trouble):
        error, is_made = self.bank.would_refund(purchase, cents, trouble)
        before = set(self.double.refunds)
        with self.trouble(trouble), pytest.raises(ERRORS[error]) if error else nullcontext():
            top_up = TopUp.objects.get(payment=self.id_of(purchase))
            refund(top_up=top_up, amount_cents=cents, key=f"{self.number()}")
        new = [made for name, made in self.double.refunds.items() if name not in before]
        assert len(new) == is_made
        for made in new:
            self.keep_refund(purchase, made)
            if not error:
                self.bank.give_back(self.bank.refunds[-1], "succeeded")
        if error == "unavailable":
            self.bank.under_way.append(Request(purchase, cents, self.bank.refunds[-1] if new else None))

    @happens(
        lambda self: any(map(self.bank.left_of, self.bank.paid())),
        number=numbers,
        cents=cents,
        is_pending=st.booleans(),
        heard=heard,
    )
    def goes_back(self, number, cents, is_pending, heard):
        """In Stripe's dashboard: also of a card, and of a customer, that is gone."""
        purchase = picked([each for each in self.bank.paid() if self.bank.left_of(each)], number)
        status, cents = "pending" if is_pending else "succeeded", min(cents, self.bank.left_of(purchase))
        self.keep_refund(purchase, self.double.refunded(self.id_of(purchase), cents, status=status))
        self.hears(self.bank.refunds[-1], heard)

    @happens(lambda self: self.bank.on_their_way(), number=numbers, status=st.sampled_from(CAME_BACK), heard=heard)
    def comes_back(self, number, status, heard):
        refund = picked(self.bank.on_their_way(), number)
        self.double.refund_becomes(self.id_of(refund), status)
        refund.status = status
        self.hears(refund, heard)

    @happens(lambda self: self.bank.undisputed(), number=numbers, status=st.sampled_from(DISPUTED), heard=heard)
    def is_disputed(self, number, status, heard):
        purchase = picked(self.bank.undisputed(), number)
        made = self.double.disputed(self.id_of(purchase), status=status, **SETTLED_IN[number % 2])
        self.bank.disputes.append(Dispute.of(purchase, f"stripe:{made['id']}", status))
        self.hears(self.bank.disputes[-1], heard)

    @happens(
        lambda self: self.bank.open_disputes(),
        number=numbers,
        end=st.sampled_from(("won", "lost", "objects")),
        heard=heard,
    )
    def a_dispute_goes_on(self, number, end, heard):
        """It is won or lost; an inquiry is closed, or the card's owner is not content with the answer."""
        dispute = picked(self.bank.open_disputes(), number)
        if end != "objects":
            dispute.ends(end)
            self.double.dispute_ends(self.id_of(dispute), dispute.status)
        elif not dispute.withdrawn:
            dispute.is_opened()
            self.double.inquiry_becomes_dispute(self.id_of(dispute))
        self.hears(dispute, heard)

    @happens(lambda self: self.bank.open_disputes(), number=numbers, end=st.sampled_from(("won", "lost")))
    def a_dispute_is_told_from_its_end(self, number, end):
        """What Stripe wrote while it was open comes last."""
        dispute = picked(self.bank.open_disputes(), number)
        before = self.letter(dispute, of_charge=False)
        dispute.ends(end)
        self.double.dispute_ends(self.id_of(dispute), dispute.status)
        self.letters += [self.letter(dispute, of_charge=False), before]
        for letter in self.letters[-2:]:
            self.delivers(letter, Trouble.NONE)

    @happens(lambda self: self.bank.paid(), number=numbers)
    def a_first_try_that_failed_is_told_late(self, number):
        """Of a payment that went through at the second one, which is told before."""
        purchase = picked(self.bank.paid(), number)
        intent = self.double.intents[self.id_of(purchase)]
        self.delivers(self.letter(purchase, of_charge=False), Trouble.NONE)
        failed = {**intent, "status": "requires_payment_method", "last_payment_error": {**declined()}}
        assert self.send(event("payment_intent.payment_failed", failed)).status_code == 204

    def hears(self, about, heard):
        """Stripe writes about it, and tells at once, or later."""
        if heard is not Heard.NOT:
            self.letters.append(self.letter(about, of_charge=heard is Heard.OF_CHARGE))
        if heard in (Heard.AT_ONCE, Heard.OF_CHARGE):
            self.delivers(self.letters[-1], Trouble.NONE)

    def keep_refund(self, purchase, made):
        name = f"stripe:{made['id']}"
        self.bank.refunds.append(Refund(purchase.person, name, purchase, made["amount"], made["status"]))

    # Webhooks

    def at_stripe(self, thing):
        for things in (self.double.intents, self.double.refunds, self.double.disputes):
            if self.id_of(thing) in things:
                return things[self.id_of(thing)]
        raise LookupError

    def told_about(self):
        ended = [each for each in self.bank.purchases if each.outcome in ("succeeded", "declined")]
        return [*ended, *self.bank.refunds, *self.bank.disputes]

    @happens(
        lambda self: self.told_about(),
        number=numbers,
        is_new=st.booleans(),
        of_charge=st.booleans(),
        trouble=up_or_down,
    )
    def stripe_tells(self, number, is_new, of_charge, trouble):
        """Something new, or what it wrote before: again, or late."""
        if is_new or not self.letters:
            about = picked(self.told_about(), number)
            self.letters.append(self.letter(about, of_charge=of_charge))
            number = -1
        self.delivers(picked(self.letters, number), trouble)

    def delivers(self, letter, trouble):
        with self.trouble(trouble):
            status = self.send(letter.body).status_code
        assert status == self.bank.hear(letter, trouble)

    def letter(self, about, *, of_charge):
        thing, moved = self.at_stripe(about), {}
        if isinstance(about, Refund) and of_charge:
            about, kind, thing = about.purchase, "charge.refunded", self.double._charge_of(thing["payment_intent"])
        elif isinstance(about, Refund):
            kind = "refund.failed" if about.status == "failed" else "refund.updated"
        elif isinstance(about, Dispute):
            kind = "charge.dispute.funds_withdrawn" if about.withdrawn else "charge.dispute.created"
            moved = {"withdrawn": about.withdrawn, "reinstated": about.reinstated}
        else:
            kind = f"payment_intent.{'succeeded' if about.outcome == 'succeeded' else 'payment_failed'}"
        body = event(kind, thing)
        return Letter(json.loads(body)["id"], kind, body, about, getattr(about, "status", ""), **moved)

    # Calls

    @happens(always, number=numbers, minutes=st.integers(1, 90))
    def calls(self, number, minutes):
        """Or the price of a call is corrected: once, or there and back."""
        corrected = [*self.bank.calls, None][number % (len(self.bank.calls) + 1)]
        if corrected:
            before, other = -8_500 * corrected.minutes, self.number() if minutes % 2 else -self.number()
            for price in (before + other, before, before + other)[: 1 + minutes % 3]:
                self.costs(corrected, price)
            return
        call = Call(picked(self.bank.people, number), f"twilio:CA{self.number()}", minutes)
        ended = {"duration": minutes * 60, "end_time": timezone.now()}
        voice.Call.objects.create(sid=call.name.removeprefix("twilio:"), payer_id=call.person.account, **ended)
        self.bank.calls.append(call)
        self.costs(call, -8_500 * minutes)

    def costs(self, call, price_micros):
        known = voice.Call.objects.get(sid=call.name.removeprefix("twilio:"))
        for _ in range(2):
            post_price(known, price_micros, now=timezone.now())
        self.bank.price(call, price_micros)

    # Reconciling

    @happens(lambda self: self.unreconciled > 4, trouble=up_or_down)
    def is_reconciled(self, trouble):
        self.unreconciled = 0
        with self.trouble(trouble), self.charges():
            report = reconcile_payments(now=timezone.now(), days=7)
            left = self.bank.reconcile() if trouble is Trouble.NONE else len(report.left)
        assert len(report.left) == left
        if trouble is Trouble.NONE:
            references = LedgerEntry.objects.filter(reference__startswith="stripe:")
            assert sum(references.values_list("amount_micros", flat=True)) == self.double.moved * CENT

    # What is true at any moment

    @invariant()
    def everybody_sees_their_balance_and_the_card_that_pays(self):
        self.unreconciled += 1
        seen = {each["id"]: each for each in self.api.get("/api/users").json()}
        for person in self.bank.present():
            shown = seen[person.id]
            assert shown["accountBalance"] == dollars(self.bank.balance(person))
            assert shown["last4"] == person.last4

    @invariant()
    def an_open_dispute_stops_calls_and_an_inquiry_does_not(self):
        assert {account.pk for account in Account.objects.all() if has_open_dispute(account)} == self.bank.stopped()

    @invariant()
    def each_wish_to_add_money_stands_where_it_should(self):
        states = {"open": "pending"}
        wished = Counter(
            (each.person.account, each.cents, states.get(each.state, each.state)) for each in self.bank.purchases
        )
        assert Counter(TopUp.objects.values_list("account", "amount_cents", "status")) == wished

    @invariant()
    def the_ledger_says_what_it_should(self):
        lines = Counter()
        for account, reference, micros in LedgerEntry.objects.values_list("account", "reference", "amount_micros"):
            name, *rest = reference.split(":")
            what = {"adjustment": name, "twilio": f"twilio:{rest[0]}"}.get(name, reference)
            lines[account, what] += micros
        assert {line: micros for line, micros in lines.items() if micros} == self.bank.statement()

    @invariant()
    def stripe_holds_what_it_should(self):
        assert self.double.moved == self.bank.at_stripe()


@pytest.fixture
def unlimited(settings):
    settings.THROTTLE_REFUSED_CARDS = None


def test_all_money_is_where_it_should_be(api, send, stripe_double, unlimited):
    examples = int(os.environ.get("MONEY") or 0)
    profile = settings(
        max_examples=examples or SHORT,
        stateful_step_count=50,
        phases=(Phase.generate, Phase.shrink) if examples else (Phase.generate,),  # a failure is told as it is found
        report_multiple_bugs=False,
        derandomize=not examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(partial(MoneyMachine, api, send, stripe_double), settings=profile)
