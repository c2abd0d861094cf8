"""A default that is gone at Stripe, somebody else's, or no card: a sentence, and a way on."""

import pytest

from billing.cards import attach, ensure_customer, forget_default, replace_default
from billing.models import Card
from tests.doubles.stripe_objects import error, new_link
from tests.neighbours import ours
from users.models import User

NO_CARD = {"errorMessage": "There is no card on file. Add one first."}


@pytest.fixture
def post(api, alice):
    return lambda route, **fields: api.post(f"/api/billing/{route}", fields)


def detached(double, alice):
    double.detach(ours(Card).get().pk)


def vanished(double, alice):
    del double.methods[ours(Card).get().pk]


def somebody_elses(double, alice):
    double.methods[ours(Card).get().pk]["customer"] = "cus_another"


def is_link(double, alice):
    double.make_default(alice.stripe_id, new_link(alice.stripe_id))


@pytest.fixture(params=[detached, vanished, somebody_elses, is_link])
def without_card(request, stripe_payments, stripe_double, alice):
    replace_default(user=alice, source="tok_visa")
    alice.refresh_from_db()
    request.param(stripe_double, alice)


@pytest.mark.usefixtures("without_card")
class TestWithoutCard:
    def test_paying_says_so_and_shows_it_no_more(self, post, alice):
        assert post("addMoney", userId=alice.pk, amountToAdd=5).json() == NO_CARD
        assert User.objects.get(pk=alice.pk).last4 is None

    def test_the_default_is_none(self, post, alice, api):
        answer = post("retrieveCustomerDefaultSource", userStripeId=alice.stripe_id)
        assert answer.json() == {"defaultSourceId": None, "card": None}
        assert api.get(f"/api/users/{alice.pk}/last4").json() == {"last4": None}

    def test_the_next_card_becomes_the_default_and_pays(self, post, alice):
        post("attachSourceToCustomer", userStripeId=alice.stripe_id, sourceId="tok_mastercard")
        assert post("addMoney", userId=alice.pk, amountToAdd=5).json() == {"updatedAccountBalance": 5}
        assert User.objects.get(pk=alice.pk).last4 == "4444"


@pytest.mark.parametrize(("change", "status"), [(detached, 400), (vanished, 404), (somebody_elses, 400)])
@pytest.mark.parametrize("route", ["attachSourceToCustomer", "updateDefaultSource"])
def test_choosing_it_says_so(stripe_payments, stripe_double, post, alice, route, change, status):
    card = attach(user=alice, source="tok_visa")
    alice.refresh_from_db()
    change(stripe_double, alice)
    answer = post(route, userStripeId=alice.stripe_id, sourceId=card.id)
    assert answer.status_code == status
    assert "Enter it again." in answer.json()["detail"]


@pytest.mark.parametrize("change", [detached, somebody_elses])
def test_charging_it_says_so(stripe_payments, stripe_double, post, alice, change):
    card = attach(user=alice, source="tok_visa")
    alice.refresh_from_db()
    change(stripe_double, alice)
    answer = post("createCharge", userStripeId=alice.stripe_id, amountToAdd=500, sourceId=card.id)
    assert answer.json() == {"errorMessage": "This card cannot be used. Enter it again."}


def test_a_card_that_vanishes_while_it_is_charged_is_forgotten(stripe_payments, stripe_double, post, alice):
    card = replace_default(user=alice, source="tok_visa")
    alice.refresh_from_db()
    vanished(stripe_double, alice)
    assert post("createCharge", userStripeId=alice.stripe_id, amountToAdd=500, sourceId=card.id).status_code == 404
    assert (User.objects.get(pk=alice.pk).last4, ours(Card).count()) == (None, 0)


def test_a_default_card_that_vanishes_while_it_is_charged_is_told_in_words(stripe_payments, stripe_double, post, alice):
    replace_default(user=alice, source="tok_visa")
    words = "No such PaymentMethod: 'pm_1'"
    gone = error(400, "invalid_request_error", words, code="resource_missing", param="payment_method")
    stripe_double.fail_next(None, None, gone)
    answer = post("addMoney", userId=alice.pk, amountToAdd=5)
    assert (answer.status_code, answer.json()) == (200, {"errorMessage": "There is no such card. Enter it again."})
    assert (User.objects.get(pk=alice.pk).last4, ours(Card).count()) == (None, 0)


def test_link_is_not_put_on_file(stripe_payments, stripe_double, post, alice):
    attach(user=alice, source="tok_visa")
    alice.refresh_from_db()
    link = stripe_double._keep(stripe_double.methods, new_link(alice.stripe_id))
    answer = post("attachSourceToCustomer", userStripeId=alice.stripe_id, sourceId=link["id"])
    assert (answer.status_code, answer.json()["detail"]) == (400, "Only cards are accepted here. Enter a card.")


def test_four_digits_that_a_client_has_set_are_no_card_of_ours_and_stay(stripe_payments, post, api, alice):
    attach(user=alice, source="tok_visa")
    alice.refresh_from_db()
    ours(Card).update(is_default=False)
    api.put(f"/api/users/{alice.pk}/last4", {"last4": "1111"})
    forget_default(alice)
    assert api.get(f"/api/users/{alice.pk}/last4").json() == {"last4": "1111"}


@pytest.mark.alone
def test_a_customer_is_of_one_person(stripe_payments, alice, bob, carol):
    customer = ensure_customer(alice)
    assert dict(User.objects.exclude(stripe_id=None).values_list("pk", "stripe_id")) == {alice.pk: customer}


def test_who_got_a_customer_meanwhile_keeps_that_one(stripe_payments, stripe_double, alice):
    as_it_was = User.objects.get(pk=alice.pk)
    User.objects.filter(pk=alice.pk).update(display_name="Al")  # under another name it is another request to Stripe
    alice.refresh_from_db()
    customer = ensure_customer(alice)
    assert ensure_customer(as_it_was) == customer
    assert User.objects.get(pk=alice.pk).stripe_id == customer
