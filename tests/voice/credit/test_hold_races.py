"""Calls of one payer that start at the same moment."""

import pytest
from django.utils import timezone

from billing.ledger import set_balance
from billing.models import Account
from tests.neighbours import ours
from tests.voice.conferences.test_event_races import at_once
from voice.calls import RefusedCallError, start_call
from voice.credit.prices import post_price
from voice.models import Call

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def start(on_postgresql, alice, group, settings):
    """Asks to be let in, with a balance that carries one hold; what came of it is kept in `answers`."""
    settings.MIN_CALL_BALANCE, settings.HOLD_MINUTES = 500_000, 60
    set_balance(user=alice, balance_micros=60 * 10_300, memo="")

    def start(sid):
        try:
            start.answers.append(start_call(params={"to": str(group.pk), "From": "client:x", "CallSid": sid}))
        except RefusedCallError as refusal:
            start.answers.append(str(refusal))

    start.answers = []
    return start


def test_two_that_start_at_once_do_not_get_the_same_money(start):
    at_once(lambda: start("CA1"), lambda: start("CA2"))
    assert start.answers[0].time_limit == 3600
    assert "held by calls" in start.answers[1]
    assert ours(Call).get().sid == "CA1"


def test_one_that_asks_twice_at_once_gets_the_same_answer(start):
    at_once(lambda: start("CA1"), lambda: start("CA1"))
    assert start.answers[0] == start.answers[1]
    assert ours(Call).count() == 1


def test_a_call_that_starts_while_another_is_charged_sees_the_charge(start):
    start("CA1")
    ours(Call).update(end_time=timezone.now(), duration=20 * 60)
    at_once(
        lambda: post_price(ours(Call).get(), -20 * 8_500, now=timezone.now()),
        lambda: start("CA2"),
    )
    assert "not enough credit" in start.answers[1]


def test_asking_again_does_not_wait_for_the_leg_while_it_keeps_the_account(start):
    """Charging locks the leg first: the other way round, each would wait for the other."""
    start("CA1")
    at_once(lambda: ours(Call).select_for_update().get(), lambda: start("CA1"), then=account_is_free)


def test_completing_a_leg_does_not_wait_for_it_while_it_keeps_the_account(start):
    Call.objects.create(sid="CA1")
    at_once(lambda: ours(Call).select_for_update().get(), lambda: start("CA1"), then=account_is_free)
    assert ours(Call).get().payer


def test_a_leg_that_is_completed_while_another_starts_does_not_get_the_same_money(start):
    Call.objects.create(sid="CA1")
    at_once(lambda: ours(Call).select_for_update().get(), lambda: start("CA1"), then=lambda: start("CA2"))
    assert start.answers[0].time_limit == 3600
    assert "held by calls" in start.answers[1]


def account_is_free():
    ours(Account).select_for_update(nowait=True).get()
