"""What every implementation of Payments does: the real adapter, over HTTP, and the sandbox."""

import pytest

from billing.gateway.interface import (
    CardDeclined,
    NoCard,
    SignatureVerificationError,
    UnknownSource,
    UnusableSource,
    payments,
)


@pytest.fixture(autouse=True, params=["sandbox_payments", "stripe_payments"])
def money(request, db):
    return request.getfixturevalue(request.param)


@pytest.fixture
def customer(money):
    return money.create_customer(email="alice@example.com", name="Alice", key="alice")


@pytest.fixture
def visa(money, customer):
    """A card on file, and the default."""
    card = money.attach_card(customer=customer, source="tok_visa")
    money.make_default(customer=customer, card=card)
    return card


def test_the_settings_name_it(money):
    assert payments() is money


def test_the_same_key_opens_one_customer(money, customer):
    assert money.create_customer(email="alice@example.com", name="Alice", key="alice") == customer


def test_another_key_opens_another_customer(money, customer):
    assert money.create_customer(email="bob@example.com", name="Bob", key="bob") != customer


@pytest.mark.parametrize(
    ("source", "brand", "last4"),
    [("tok_visa", "visa", "4242"), ("pm_card_visa", "visa", "4242"), ("tok_mastercard", "mastercard", "4444")],
)
def test_it_attaches_a_card(money, customer, source, brand, last4):
    card = money.attach_card(customer=customer, source=source)
    assert card.id.startswith("pm_")
    assert (card.brand, card.last4) == (brand, last4)
    assert (card.exp_month, card.exp_year) == (12, 2034)


def test_attaching_a_card_again_changes_nothing(money, customer, visa):
    assert money.attach_card(customer=customer, source=visa.id) == visa


def test_a_card_that_the_bank_refuses_is_not_attached(money, customer):
    with pytest.raises(CardDeclined, match=r"^Your card was declined\.$"):
        money.attach_card(customer=customer, source="tok_chargeDeclined")


@pytest.mark.parametrize("source", ["tok_nobody", "pm_nobody", "pm_card_nobody", "src_nobody", "card_nobody", "x"])
def test_an_unknown_card_is_not_attached(money, customer, source):
    with pytest.raises(UnknownSource):
        money.attach_card(customer=customer, source=source)


def test_a_card_of_somebody_else_is_refused(money, visa):
    bob = money.create_customer(email="bob@example.com", name="Bob", key="bob")
    with pytest.raises((UnknownSource, UnusableSource)):
        money.attach_card(customer=bob, source=visa.id)
    with pytest.raises((UnknownSource, UnusableSource)):
        money.charge(customer=bob, source=visa.id, amount_cents=500, top_up="one")


def test_there_is_no_default_card_at_first(money, customer):
    money.attach_card(customer=customer, source="tok_visa")
    assert money.default_card(customer=customer) is None


def test_the_default_card_is_the_one_made_so(money, customer, visa):
    other = money.attach_card(customer=customer, source="tok_mastercard")
    assert money.default_card(customer=customer) == visa
    money.make_default(customer=customer, card=other)
    assert money.default_card(customer=customer) == other


def test_it_charges_the_default_card(money, customer, visa):
    payment = money.charge(customer=customer, source="", amount_cents=1250, top_up="one")
    assert (payment.amount_cents, payment.currency, payment.status) == (1250, "usd", "succeeded")
    assert payment.message == ""


@pytest.mark.parametrize("source", ["tok_mastercard", "pm_card_visa"])
def test_it_charges_the_card_that_is_given(money, customer, source):
    payment = money.charge(customer=customer, source=source, amount_cents=500, top_up="one")
    assert payment.status == "succeeded"


def test_it_charges_a_card_on_file(money, customer, visa):
    assert money.charge(customer=customer, source=visa.id, amount_cents=500, top_up="one").status == "succeeded"


def test_without_a_card_nothing_is_charged(money, customer):
    with pytest.raises(NoCard):
        money.charge(customer=customer, source="", amount_cents=500, top_up="one")
    assert money.find_payment(customer=customer, top_up="one") is None


@pytest.mark.parametrize("source", ["tok_nobody", "pm_nobody"])
def test_an_unknown_card_is_not_charged(money, customer, source):
    with pytest.raises(UnknownSource):
        money.charge(customer=customer, source=source, amount_cents=500, top_up="one")
    assert money.total_charged(customer=customer) == 0


@pytest.mark.parametrize("source", ["", "tok_visa"])
def test_one_top_up_charges_once(money, customer, visa, source):
    first = money.charge(customer=customer, source=source, amount_cents=500, top_up="one")
    assert money.charge(customer=customer, source=source, amount_cents=500, top_up="one") == first
    assert money.total_charged(customer=customer) == 500


def test_two_top_ups_charge_twice(money, customer, visa):
    for top_up in ("one", "two"):
        money.charge(customer=customer, source="", amount_cents=500, top_up=top_up)
    assert money.total_charged(customer=customer) == 1000


@pytest.fixture
def failing(money, customer):
    """A card that attaches, and that the bank refuses at each charge."""
    return money.attach_card(customer=customer, source="tok_chargeCustomerFail")


def test_a_refused_charge_takes_nothing(money, customer, failing):
    for _ in range(2):  # the second answer is the first one again
        with pytest.raises(CardDeclined, match=r"^Your card was declined\.$"):
            money.charge(customer=customer, source=failing.id, amount_cents=500, top_up="one")
    assert money.total_charged(customer=customer) == 0


def test_a_refused_charge_is_found_with_its_reason(money, customer, failing):
    with pytest.raises(CardDeclined):
        money.charge(customer=customer, source=failing.id, amount_cents=500, top_up="one")
    found = money.find_payment(customer=customer, top_up="one")
    assert (found.status, found.message) == ("requires_payment_method", "Your card was declined.")


def test_it_finds_the_payment_of_a_top_up(money, customer, visa):
    payments = {
        top_up: money.charge(customer=customer, source="", amount_cents=500, top_up=top_up) for top_up in ("one", "two")
    }
    assert money.find_payment(customer=customer, top_up="one") == payments["one"]


def test_it_finds_no_payment_where_there_is_none(money, customer, visa):
    money.charge(customer=customer, source="", amount_cents=500, top_up="one")
    assert money.find_payment(customer=customer, top_up="two") is None


def test_it_finds_no_payment_of_somebody_else(money, customer, visa):
    money.charge(customer=customer, source="", amount_cents=500, top_up="one")
    bob = money.create_customer(email="bob@example.com", name="Bob", key="bob")
    assert money.find_payment(customer=bob, top_up="one") is None


@pytest.fixture
def waiting(money, customer):
    """A payment that waits for its owner's consent."""
    return money.charge(customer=customer, source="pm_card_authenticationRequired", amount_cents=500, top_up="one")


def test_a_card_can_ask_for_its_owners_consent(money, customer, waiting):
    assert waiting.status == "requires_action"
    assert waiting.client_secret.startswith(f"{waiting.id}_secret_")
    assert money.total_charged(customer=customer) == 0


def test_a_payment_that_waits_can_be_cancelled(money, customer, waiting):
    assert money.cancel(payment=waiting.id).status == "canceled"
    assert money.find_payment(customer=customer, top_up="one").status == "canceled"


def test_cancelling_again_changes_nothing(money, waiting):
    assert money.cancel(payment=waiting.id) == money.cancel(payment=waiting.id)


def test_a_payment_that_went_through_is_not_cancelled(money, customer, visa):
    payment = money.charge(customer=customer, source="", amount_cents=500, top_up="one")
    assert money.cancel(payment=payment.id).status == "succeeded"
    assert money.total_charged(customer=customer) == 500


def test_nothing_is_charged_at_first(money, customer):
    assert money.total_charged(customer=customer) == 0


def test_an_unsigned_event_is_forged(money):
    with pytest.raises(SignatureVerificationError):
        money.construct_event(body=b'{"id": "evt_1", "object": "event"}', signature="")
