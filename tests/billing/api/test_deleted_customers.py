"""A customer who is gone at Stripe is forgotten at once, and the person goes on with a new one."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from billing.cards import replace_default
from billing.models import Card, FormerCustomer, LedgerEntry, StripeEvent, TopUp
from billing.top_ups import GONE
from tests.doubles.server import Fault
from tests.doubles.stripe import event
from tests.neighbours import ours
from users.models import User

BY_STRIPE_ID = {
    "attachSourceToCustomer": {"sourceId": "tok_mastercard"},
    "updateDefaultSource": {"sourceId": "tok_mastercard"},
    "retrieveCustomerDefaultSource": {},
    "userStripeCharges": {},
}


@pytest.fixture
def post(api, alice):
    return lambda route, **fields: api.post(f"/api/billing/{route}", fields)


@pytest.fixture
def old(paid, stripe_double, alice):
    """The customer of Alice, who has paid $20, is deleted in the dashboard. Its id."""
    alice.refresh_from_db()
    stripe_double.delete_customer(alice.stripe_id)
    return alice.stripe_id


def forgotten(alice):
    alice.refresh_from_db()
    return (alice.stripe_id, alice.last4, ours(Card).count()) == (None, None, 0)


def test_it_is_forgotten_when_stripe_tells(tell, old, alice):
    tell("customer.deleted", {"id": old, "object": "customer", "email": "alice@example.com"})
    assert old not in str(StripeEvent.objects.get(type="customer.deleted").payload)
    assert forgotten(alice)
    assert ours(FormerCustomer).get().user == alice


def test_somebody_elses_customer_is_nobodys(tell, old, alice):
    tell("customer.deleted", {"id": "cus_of_another_product", "object": "customer"})
    alice.refresh_from_db()
    assert (alice.stripe_id, alice.last4) == (old, "4242")


@pytest.mark.parametrize("route", BY_STRIPE_ID)
def test_by_its_id_the_person_is_told_what_to_do(post, old, alice, route):
    for _ in range(2):
        answer = post(route, userStripeId=old, **BY_STRIPE_ID[route])
        assert (answer.status_code, answer.json()["code"]) == (404, "customer_gone")
        assert "POST /api/billing/updateCreditCard" in answer.json()["detail"]
        assert forgotten(alice)


def test_a_new_card_opens_a_new_customer(post, old, alice, api):
    assert post("updateCreditCard", userId=alice.pk, sourceId="tok_mastercard").status_code == 200
    person = api.get(f"/api/users/{alice.pk}").json()
    assert person["stripeId"] not in (old, None)
    assert person["last4"] == "4444"


def test_the_money_of_the_old_one_stays_and_the_new_one_pays(post, old, alice):
    post("updateCreditCard", userId=alice.pk, sourceId="tok_mastercard")
    answer = post("addMoney", userId=alice.pk, amountToAdd=5)
    assert answer.json() == {"updatedAccountBalance": 25}
    assert ours(LedgerEntry).count() == 2


@pytest.mark.alone
def test_paying_says_that_the_card_is_gone(post, old, alice):
    assert post("addMoney", userId=alice.pk, amountToAdd=5).json() == {"errorMessage": GONE}
    assert forgotten(alice)
    assert TopUp.objects.filter(status="pending").count() == 0


@pytest.mark.parametrize("source", [{}, {"sourceId": "tok_visa"}])
def test_a_charge_by_its_id_says_so_too(post, old, alice, source):
    assert post("createCharge", userStripeId=old, amountToAdd=500, **source).json() == {"errorMessage": GONE}
    assert post("createCharge", userStripeId=old, amountToAdd=500, **source).status_code == 404


def test_a_customer_of_the_other_mode_is_gone(post, paid, stripe_double, alice, api):
    alice.refresh_from_db()
    stripe_double.customers.clear()  # the operator has gone live
    assert post("addMoney", userId=alice.pk, amountToAdd=5).json() == {"errorMessage": GONE}
    assert post("updateCreditCard", userId=alice.pk, sourceId="tok_visa").status_code == 200


@pytest.mark.alone
@pytest.mark.parametrize("seconds", [0, 600, -200], ids=["", "it took long", "Stripe's clock is behind ours"])
def test_a_payment_whose_answer_was_lost_before_is_found(post, paid, stripe_double, alice, balance, seconds):
    alice.refresh_from_db()
    stripe_double.fail_next(None, None, Fault.LOSE_ANSWER, Fault.LOSE_ANSWER)
    post("addMoney", userId=alice.pk, amountToAdd=30)
    begun = timezone.now() - timedelta(minutes=20)  # so long ago that it would not be tried again
    TopUp.objects.filter(status="pending").update(created_at=begun)
    list(stripe_double.intents.values())[-1]["created"] = int(begun.timestamp()) + seconds
    stripe_double.delete_customer(alice.stripe_id)
    post("addMoney", userId=alice.pk, amountToAdd=30)
    assert (balance(), sorted(stripe_double.books)) == ("50.00", [2000, 3000])


def test_one_that_was_never_charged_gives_way_to_a_new_customers(post, paid, stripe_double, alice):
    stripe_double.fail_next(None, None, Fault.DROP, Fault.DROP)
    post("addMoney", userId=alice.pk, amountToAdd=30)
    alice.refresh_from_db()
    stripe_double.delete_customer(alice.stripe_id)
    replace_default(user=alice, source="tok_visa")
    assert post("addMoney", userId=alice.pk, amountToAdd=5).json() == {"updatedAccountBalance": 25}


def test_after_one_that_was_left_behind_the_next_payment_is_the_new_customers(post, paid, stripe_double, alice):
    stripe_double.fail_next(None, None, Fault.DROP, Fault.DROP)
    post("addMoney", userId=alice.pk, amountToAdd=30)
    alice.refresh_from_db()
    stripe_double.delete_customer(alice.stripe_id)
    answer = post("addMoney", userId=alice.pk, amountToAdd=5)
    assert answer.json() == {"errorMessage": "There is no card on file. Add one first."}
    assert ours(TopUp).latest("created_at").customer == User.objects.get(pk=alice.pk).stripe_id


def test_events_of_the_old_ones_payments_are_posted(tell, old, paid, alice, stripe_double, entries):
    tell("customer.deleted", {"id": old, "object": "customer"})
    tell("refund.created", stripe_double.refunded(paid, 500))
    assert entries() == [("top_up", 2000), ("refund", -500)]


def test_deleted_twice_it_is_replaced_twice(post, stripe_double, paid, alice):
    for _ in range(2):
        alice.refresh_from_db()
        stripe_double.delete_customer(alice.stripe_id)
        assert post("updateCreditCard", userId=alice.pk, sourceId="tok_visa").status_code == 200
    assert ours(FormerCustomer).count() == 2


def test_it_goes_with_its_person(tell, old, alice, api):
    tell("customer.deleted", {"id": old, "object": "customer"})
    assert api.delete(f"/api/users/{alice.pk}").status_code == 200
    assert not ours(FormerCustomer).exists()


def test_told_late_it_changes_nothing_of_the_new_one(send, post, old, alice):
    post("updateCreditCard", userId=alice.pk, sourceId="tok_visa")
    before = (ours(User).values().get(pk=alice.pk), list(ours(Card).values()))
    assert send(event("customer.deleted", {"id": old, "object": "customer"})).status_code == 204
    assert (ours(User).values().get(pk=alice.pk), list(ours(Card).values())) == before
    assert post("addMoney", userId=alice.pk, amountToAdd=5).json() == {"updatedAccountBalance": 25}


@pytest.fixture
def deleted_once_it_is_opened(stripe_double, tell, alice):
    """Alice's first customer, the moment that it is hers. In the dashboard they take it for a test's."""
    done = []

    def delete(execute, sql, params, many, context):
        answer = execute(sql, params, many, context)
        if sql.startswith('UPDATE "users" SET "stripeId"') and not done:
            done.append(sql)
            customer = User.objects.get(pk=alice.pk).stripe_id
            stripe_double.delete_customer(customer)
            tell("customer.deleted", {"id": customer, "object": "customer"})
        return answer

    with connection.execute_wrapper(delete):
        yield


@pytest.mark.usefixtures("deleted_once_it_is_opened")
def test_one_that_is_deleted_once_it_is_opened_is_replaced_and_is_nobody_elses(post, alice, bob, stripe_double):
    shown = {"brand": "visa", "last4": "1111", "exp_month": 12, "exp_year": 2034}
    of_bob = Card.objects.create(id="pm_bob", user=bob, is_default=True, **shown)  # who has no customer, either
    assert post("updateCreditCard", userId=alice.pk, sourceId="tok_mastercard").status_code == 200
    alice.refresh_from_db()
    assert (alice.last4, stripe_double.customers[alice.stripe_id].get("deleted")) == ("4444", None)
    assert bob.cards.get() == of_bob
