import pytest

from billing.cards import replace_default


@pytest.fixture
def charge(api, alice):
    """Charges Alice, whose default card works, in cents."""
    replace_default(user=alice, source="tok_visa")
    alice.refresh_from_db()

    def charge(cents, key=None, **fields):
        body = {"userStripeId": alice.stripe_id, "amountToAdd": cents, **fields}
        return api.post("/api/billing/createCharge", body, headers={"Idempotency-Key": key} if key else {})

    return charge


def test_the_amount_is_in_cents_and_credited(charge, api, alice):
    answer = charge(250).json()["charge"]
    assert (answer["amount"], answer["currency"], answer["status"]) == (250, "usd", "succeeded")
    assert api.get(f"/api/users/{alice.pk}").json()["accountBalance"] == "2.50"


@pytest.mark.parametrize("source", ["tok_mastercard", "pm_card_visa", None])
def test_another_card_can_be_named(charge, source):
    assert charge("300", sourceId=source).json()["charge"]["amount"] == 300


def test_a_declined_card_is_told_to_the_person(charge, api, alice):
    answer = charge(300, sourceId="tok_chargeDeclined")
    assert (answer.status_code, answer.json()) == (200, {"errorMessage": "Your card was declined."})
    assert api.get(f"/api/users/{alice.pk}").json()["accountBalance"] == "0.00"


@pytest.mark.parametrize("cents", [99, 50_001, -100, 10**12])
def test_an_amount_outside_the_range_is_told_to_the_person(charge, cents):
    assert "errorMessage" in charge(cents).json()


@pytest.mark.parametrize("cents", [100, 50_000])
def test_the_least_and_the_most_are_charged(charge, cents):
    assert charge(cents).json()["charge"]["amount"] == cents


@pytest.mark.parametrize("cents", [2.5, "2.5", "x", None, True, "1" * 31, 10**30])
def test_what_is_no_amount_of_cents_is_refused(charge, cents):
    assert charge(cents).status_code == 400


@pytest.mark.parametrize("source", ["visa", "tok_", "tok_a b", "pi_123", 5, "tok_" + "x" * 300])
def test_what_is_no_card_is_refused(charge, source):
    assert charge(300, sourceId=source).status_code == 400


def test_an_unknown_card_is_404(charge):
    answer = charge(300, sourceId="pm_unknown")
    assert (answer.status_code, answer.json()["code"]) == (404, "source_not_found")


def test_after_an_unknown_card_the_next_charge_goes_through(charge):
    charge(300, sourceId="pm_unknown")
    assert charge(300).json()["charge"]["status"] == "succeeded"


@pytest.mark.parametrize("changes", [{"sourceId": "tok_mastercard"}, {"sourceId": None}, {"amountToAdd": 301}], ids=str)
def test_a_key_is_good_for_one_payment_by_one_card(charge, api, alice, changes):
    first = charge(300, key="k1", sourceId="tok_visa").json()
    assert charge(300, key="k1", sourceId="tok_visa").json() == first
    answer = charge(300, key="k1", **{"sourceId": "tok_visa", **changes})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert api.get(f"/api/users/{alice.pk}").json()["accountBalance"] == "3.00"


def test_a_stripe_id_of_nobody_is_404(charge):
    assert charge(300, userStripeId="cus_nobody").status_code == 404


def test_the_sum_of_a_persons_charges_counts_what_succeeded(charge, api, alice):
    charge(250)
    charge(350)
    charge(999, sourceId="tok_chargeDeclined")
    answer = api.post("/api/billing/userStripeCharges", {"userStripeId": alice.stripe_id})
    assert answer.json() == {"sumOfUserStripeCharges": 6.0}
