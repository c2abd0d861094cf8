"""People, payments, lost answers, refunds, disputes, calls and deletions in any order: all money is where it should be.

`make money` plays longer, and other sequences each time (MONEY=300 are so many).
"""

import json
import os
from collections import Counter
from contextlib import nullcontext
from functools import partial

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, run_state_machine_as_test
from rest_framework.exceptions import ValidationError

from billing.audit.reconciliation import reconcile_payments
from billing.disputes import has_open_dispute
from billing.gateway.interface import PaymentsUnavailable, RefundRefused
from billing.models import Account, LedgerEntry, TopUp
from billing.refunds import refund
from core.wire import dollars
from tests.billing.model_bank import CAME_BACK, CENT, Call, Dispute, Letter, Refund, Request, Trouble
from tests.billing.money_people import (
    Heard,
    People,
    always,
    any_trouble,
    cents,
    happens,
    heard,
    numbers,
    picked,
    up_or_down,
)
from tests.doubles.stripe import event
from tests.doubles.stripe_objects import declined
from tests.neighbours import ours
from voice import models as voice
from voice.credit.prices import post_price

SETTLED_IN = ({}, {"into": "eur", "rate": 0.9286})  # of the operator's account; these cents come back whole
DISPUTED = ("needs_response", "warning_needs_response")
ERRORS = {"too much": ValidationError, "refused": RefundRefused, "unavailable": PaymentsUnavailable}
SHORT = 7
"""Sequences of fifty steps; Hypothesis's first is of one action alone."""


class MoneyMachine(People):
    """What follows: what goes back, what is disputed, what Stripe tells, and calls; and what holds after each step."""

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
        assert {account.pk for account in ours(Account).all() if has_open_dispute(account)} == self.bank.stopped()

    @invariant()
    def each_wish_to_add_money_stands_where_it_should(self):
        states = {"open": "pending"}
        wished = Counter(
            (each.person.account, each.cents, states.get(each.state, each.state)) for each in self.bank.purchases
        )
        assert Counter(ours(TopUp).values_list("account", "amount_cents", "status")) == wished

    @invariant()
    def the_ledger_says_what_it_should(self):
        lines = Counter()
        for account, reference, micros in ours(LedgerEntry).values_list("account", "reference", "amount_micros"):
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


@pytest.mark.alone
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
