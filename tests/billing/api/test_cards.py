import pytest

from billing.cards import ensure_customer
from users.models import User

CARD = ["id", "brand", "last4", "expMonth", "expYear"]


@pytest.fixture
def post(api, alice):
    """Posts to a billing route in Alice's name."""
    ensure_customer(alice)
    return lambda route, **fields: api.post(f"/api/billing/{route}", fields)


def last4(api, user):
    return api.get(f"/api/users/{user.pk}/last4").json()["last4"]


def test_the_first_card_becomes_the_default(post, api, alice):
    card = post("attachSourceToCustomer", userStripeId=alice.stripe_id, sourceId="tok_visa").json()
    assert list(card) == CARD
    default = post("retrieveCustomerDefaultSource", userStripeId=alice.stripe_id).json()
    assert (default["defaultSourceId"], default["card"]["last4"]) == (card["id"], "4242")
    assert last4(api, alice) == "4242"


def test_a_second_card_leaves_the_default_as_it_is(post, api, alice):
    post("attachSourceToCustomer", userStripeId=alice.stripe_id, sourceId="tok_visa")
    post("attachSourceToCustomer", userStripeId=alice.stripe_id, sourceId="tok_mastercard")
    assert last4(api, alice) == "4242"


def test_without_a_card_the_default_is_null(post, alice):
    answer = post("retrieveCustomerDefaultSource", userStripeId=alice.stripe_id)
    assert answer.json() == {"defaultSourceId": None, "card": None}


@pytest.mark.parametrize("prefix", ["card", "src"])
def test_a_source_of_the_first_back_end_is_shown_and_charged(stripe_payments, stripe_double, api, alice, prefix):
    """A person who was taken over has Stripe's customer and the last digits, and no card of ours."""
    customer = stripe_payments.create_customer(email=alice.email, name="Alice", key="first")
    source = stripe_double.old_card(prefix, customer=customer)
    User.objects.filter(pk=alice.pk).update(stripe_id=customer, last4="4242")
    answer = api.post("/api/billing/retrieveCustomerDefaultSource", {"userStripeId": customer}).json()
    assert (answer["defaultSourceId"], answer["card"]["last4"]) == (source, "4242")
    assert last4(api, alice) == "4242"
    paid = api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 5})
    assert paid.json() == {"updatedAccountBalance": 5}
    assert [each["payment_method"] for each in stripe_double.intents.values()] == [source]


def test_a_card_is_replaced(post, api, alice):
    post("attachSourceToCustomer", userStripeId=alice.stripe_id, sourceId="tok_visa")
    answer = post("updateCreditCard", userId=alice.pk, sourceId="tok_mastercard").json()
    assert list(answer["updatedSource"]) == CARD
    assert last4(api, alice) == "4444"


def test_a_card_on_file_becomes_the_default(post, api, alice):
    post("attachSourceToCustomer", userStripeId=alice.stripe_id, sourceId="tok_visa")
    second = post("attachSourceToCustomer", userStripeId=alice.stripe_id, sourceId="tok_mastercard").json()
    answer = post("updateDefaultSource", userStripeId=alice.stripe_id, sourceId=second["id"]).json()
    assert list(answer) == ["id", "email", "defaultSourceId", "card"]
    assert (answer["id"], answer["defaultSourceId"]) == (alice.stripe_id, second["id"])
    assert last4(api, alice) == "4444"


@pytest.mark.parametrize("route", ["attachSourceToCustomer", "updateDefaultSource"])
def test_a_card_refused_while_attaching_is_402_in_the_banks_words(post, api, alice, route):
    answer = post(route, userStripeId=alice.stripe_id, sourceId="tok_chargeDeclined")
    assert (answer.status_code, answer.json()["code"]) == (402, "card_declined")
    assert answer.json()["detail"] == "Your card was declined."
    assert last4(api, alice) is None


@pytest.mark.parametrize("route", ["attachSourceToCustomer", "updateDefaultSource"])
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"userStripeId": "cus_nobody", "sourceId": "tok_visa"}, 404),
        ({"userStripeId": None, "sourceId": "tok_visa"}, 400),
        ({"userStripeId": "x" * 129, "sourceId": "tok_visa"}, 400),
        ({"sourceId": "tok_visa"}, 400),
        ({"userStripeId": "cus_nobody"}, 400),
    ],
)
def test_bad_input_is_refused(post, route, fields, status):
    assert post(route, **fields).status_code == status


def test_an_unknown_card_is_404(post, alice):
    answer = post("attachSourceToCustomer", userStripeId=alice.stripe_id, sourceId="tok_unknown")
    assert (answer.status_code, answer.json()["code"]) == (404, "source_not_found")


def test_a_person_without_a_customer_gets_one_with_their_first_card(api, bob):
    assert api.post("/api/billing/updateCreditCard", {"userId": bob.pk, "sourceId": "tok_visa"}).status_code == 200
    assert api.get(f"/api/users/{bob.pk}").json()["stripeId"].startswith("cus_")


@pytest.mark.parametrize(("sent", "kept"), [("1234", "1234"), (1234, "1234"), ("0000", "0000"), (None, None)])
def test_last4_can_be_set(api, alice, sent, kept):
    assert api.put(f"/api/users/{alice.pk}/last4", {"last4": sent}).json()["last4"] == kept


@pytest.mark.parametrize("sent", ["123", "12345", "12a4", "", " 123", "١٢٣٤", True, [1]])
def test_another_last4_is_refused(api, alice, sent):
    assert api.put(f"/api/users/{alice.pk}/last4", {"last4": sent}).status_code == 400
