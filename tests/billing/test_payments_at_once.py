"""Payments that overlap: one is charged, and the other is refused, on either database and however fast the first is."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.db import connections
from django.utils import timezone

from billing import top_ups
from billing.api.throttles import PaymentThrottle
from billing.audit.invariants import check_ledger
from billing.cards import replace_default
from billing.ledger import account_of
from billing.models import TopUp
from tests.conftest import Client
from tests.neighbours import ours

pytestmark = pytest.mark.django_db(transaction=True)
ROUTES = {"addMoney": ("userId", "pk", 1), "createCharge": ("userStripeId", "stripe_id", 100)}


@pytest.fixture
def at_once(alice, monkeypatch):
    """Two requests that have both come before either begins; the second's turn is when the first is answered."""
    replace_default(user=alice, source="tok_visa")
    alice.refresh_from_db()
    account_of(alice)  # SQLite in memory lets no two open it at once
    both_came, answered, order = Barrier(2, timeout=10), Event(), []
    lets_in = PaymentThrottle.allow_request

    def wait_for_turn(name="before_topup_row"):
        if name == "before_topup_row" and len(order) < 2:
            order.append(name)
            if both_came.wait():
                answered.wait(10)

    def throttled(*asked):
        wait_for_turn()
        return lets_in(*asked)

    def pay(route, amount, key):
        name, attribute, unit = ROUTES[route]
        body, headers = {name: getattr(alice, attribute), "amountToAdd": amount * unit}, {"Idempotency-Key": key}
        try:
            return Client().post(f"/api/billing/{route}", body, headers=headers if key else {})
        finally:
            answered.set()
            connections.close_all()

    def at_once(*wishes, where="failpoint"):
        if where == "throttle":
            monkeypatch.setattr(PaymentThrottle, "allow_request", throttled)
        else:
            monkeypatch.setattr(top_ups, "failpoint", wait_for_turn)
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda wish: pay(*wish), wishes))
        assert [each for each in check_ledger(now=timezone.now()) if each.wrong] == []
        return sorted((each.status_code, each.json().get("code")) for each in answers)

    return at_once


@pytest.mark.alone
@pytest.mark.parametrize(
    "second",
    [
        pytest.param(("addMoney", 20, None), id="the same"),
        pytest.param(("addMoney", 5, None), id="another amount"),
        pytest.param(("createCharge", 20, None), id="another route"),
        pytest.param(("addMoney", 20, "k2"), id="a key"),
    ],
)
def test_a_payment_that_came_while_another_was_under_way_is_refused(at_once, second):
    assert at_once(("addMoney", 20, None), second) == [(200, None), (409, "payment_in_progress")]
    assert ours(TopUp).count() == 1


@pytest.mark.alone
@pytest.mark.parametrize("route", ROUTES)
def test_one_that_waited_before_its_work_began_came_while_the_first_was_under_way(at_once, route):
    """In the throttle, which waits for the database: the first is answered by then."""
    assert at_once(*[(route, 20, None)] * 2, where="throttle") == [(200, None), (409, "payment_in_progress")]
    assert ours(TopUp).count() == 1


@pytest.mark.alone
def test_one_that_came_while_a_card_was_refused_is_refused_too(at_once, alice):
    replace_default(user=alice, source="tok_chargeCustomerFail")
    assert at_once(*[("addMoney", 20, None)] * 2) == [(200, None), (409, "payment_in_progress")]
    assert ours(TopUp).count() == 1


@pytest.mark.alone
def test_the_same_key_is_answered_what_the_first_was(at_once):
    assert at_once(*[("addMoney", 20, "k1")] * 2) == [(200, None), (200, None)]
    assert ours(TopUp).count() == 1


@pytest.mark.alone
def test_a_payment_that_comes_when_the_first_is_answered_is_a_new_one(at_once, api, alice):
    at_once(*[("addMoney", 20, None)] * 2)
    answer = api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    assert answer.json() == {"updatedAccountBalance": 40}
