"""A Stripe id of before: its owner is told that it is gone, and others what they are told of any."""

import pytest

from billing.models import FormerCustomer

ROUTES = ("attachSourceToCustomer", "updateDefaultSource", "createCharge")
ROUTES += ("retrieveCustomerDefaultSource", "userStripeCharges")


@pytest.fixture
def post(alice, signed_in):
    """Posts about Alice's Stripe id of before."""
    FormerCustomer.objects.create(id="cus_old", user=alice)
    fields = {"userStripeId": "cus_old", "sourceId": "tok_visa", "amountToAdd": 500}
    return lambda user, route: signed_in(user).post(f"/api/billing/{route}", fields)


@pytest.mark.parametrize("route", ROUTES)
def test_its_owner_is_told_what_to_do(post, alice, route):
    answer = post(alice, route)
    assert (answer.status_code, answer.json()["code"]) == (404, "customer_gone")
    assert "/api/users/:id" in answer.json()["detail"]


@pytest.mark.parametrize("route", ROUTES)
def test_others_are_not_told_whether_it_ever_was(post, bob, route):
    assert post(bob, route).status_code == 403
