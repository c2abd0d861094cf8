"""Adding money while Stripe fails: nothing is lost, nothing is charged twice. Over real HTTP, against the double."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from rest_framework.test import APIClient

import billing.gateway.stripe_payments
from billing.cards import replace_default
from billing.models import LedgerEntry, TopUp
from billing.top_ups import EXPIRED
from tests.doubles.server import Fault
from tests.neighbours import ours

INTENTS = "/v1/payment_intents"


@pytest.fixture
def pay(stripe_payments, api, alice, monkeypatch):
    """Adds $20 to Alice's balance with her card at Stripe, whose client does not wait or try again for long."""
    monkeypatch.setattr(billing.gateway.stripe_payments, "TIMEOUT", 0.5)
    replace_default(user=alice, source="tok_visa")

    def pay(amount=20, **headers):
        return api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": amount}, headers=headers)

    return pay


def refused(answer):
    return (answer.status_code, answer.json()["code"]) == (503, "payments_unavailable") and answer["Retry-After"]


def test_money_at_stripe_is_money_on_the_balance(pay, stripe_double):
    assert pay().json() == {"updatedAccountBalance": 20}
    assert stripe_double.books == [2000]


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.LOSE_ANSWER, Fault.HANG])
def test_one_failure_is_tried_again_and_charged_once(pay, stripe_double, fault):
    stripe_double.fail_next(None, None, fault)  # the first two read the default card
    assert pay().json() == {"updatedAccountBalance": 20}
    assert stripe_double.books == [2000]


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.LOSE_ANSWER, Fault.HANG])
def test_after_a_503_the_next_try_finishes_the_same_payment(pay, stripe_double, fault):
    stripe_double.fail_next(None, None, fault, fault)
    assert refused(pay())
    assert pay().json() == {"updatedAccountBalance": 20}
    assert stripe_double.books == [2000]


def test_after_a_503_another_amount_is_a_second_payment_and_the_first_is_not_lost(pay, stripe_double):
    stripe_double.fail_next(None, None, Fault.LOSE_ANSWER, Fault.LOSE_ANSWER)
    pay()
    assert pay(5).json() == {"updatedAccountBalance": 25}
    assert sorted(stripe_double.books) == [500, 2000]


def test_a_new_key_after_a_503_is_a_new_purchase(pay, stripe_double):
    stripe_double.fail_next(None, None, Fault.LOSE_ANSWER, Fault.LOSE_ANSWER)
    pay(**{"Idempotency-Key": "k1"})
    assert pay(**{"Idempotency-Key": "k2"}).json() == {"updatedAccountBalance": 40}
    assert pay(**{"Idempotency-Key": "k1"}).json() == {"updatedAccountBalance": 20}


def test_while_stripe_is_down_nothing_is_charged_and_nothing_forgotten(pay, stripe_double):
    stripe_double.fail_next(*[Fault.DROP] * 4)
    assert refused(pay())
    assert (stripe_double.books, ours(TopUp).get().status) == ([], "pending")


def test_a_fault_that_stripe_keeps_under_the_key_does_not_block_a_person_for_long(pay, stripe_double):
    stripe_double.fail_next(None, None, Fault.SERVER_ERROR, Fault.SERVER_ERROR)
    assert refused(pay())
    ours(TopUp).update(created_at=timezone.now() - timedelta(minutes=11))
    assert pay().json() == {"errorMessage": EXPIRED}
    assert pay().json() == {"updatedAccountBalance": 20}
    assert stripe_double.books == [2000]


def test_a_retry_charges_the_card_of_the_first_try_though_the_default_changed(pay, stripe_double, alice):
    stripe_double.fail_next(None, None, Fault.LOSE_ANSWER, Fault.LOSE_ANSWER)
    pay()
    replace_default(user=alice, source="tok_mastercard")
    assert pay().json() == {"updatedAccountBalance": 20}
    assert stripe_double.books == [2000]


def test_stripe_down_is_no_reason_to_turn_a_new_person_away(stripe_payments, stripe_double, api, db):
    stripe_double.fail_next(Fault.DROP, Fault.DROP)
    answer = api.post("/api/users", {"email": "eve@example.com"})
    assert (answer.status_code, answer.json()["stripeId"]) == (201, None)
    user_id = answer.json()["id"]
    api.post("/api/billing/updateCreditCard", {"userId": user_id, "sourceId": "tok_visa"})
    assert api.get(f"/api/users/{user_id}").json()["stripeId"].startswith("cus_")


def test_a_card_route_answers_503_when_stripe_does_not(pay, stripe_double, api, alice):
    stripe_double.fail_next(*[Fault.DROP] * 4)
    answer = api.post("/api/billing/updateCreditCard", {"userId": alice.pk, "sourceId": "tok_visa"})
    assert refused(answer)


def test_switched_off_it_says_what_is_missing(api, alice, settings):
    settings.PAYMENTS = {}
    answer = api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    assert (answer.status_code, answer.json()["code"]) == (503, "not_configured")
    assert "SK_TEST" in answer.json()["detail"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k1"}])
def test_a_double_click_is_charged_once(on_postgresql, pay, stripe_double, alice, headers):
    def click(_: int) -> int:
        try:
            body = {"userId": alice.pk, "amountToAdd": 20}
            return APIClient().post("/api/billing/addMoney", body, format="json", headers=headers).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        statuses = set(pool.map(click, range(6)))
    assert 200 in statuses <= {200, 409}
    assert len(stripe_double.books) == ours(LedgerEntry).count()
    if headers:  # without a key, clicks that did not overlap are purchases of their own
        assert len(stripe_double.books) == 1
