"""What only the real adapter meets: a network that fails, cards of old kinds, long lists, errors of Stripe's."""

import pytest

from billing.gateway.interface import (
    CardDeclined,
    CustomerGone,
    PaymentsUnavailable,
    UnknownSource,
    UnusableSource,
)
from tests.doubles.server import Answer, Fault
from tests.doubles.stripe_objects import error

INTENTS = "/v1/payment_intents"


@pytest.fixture
def money(stripe_payments, db):
    return stripe_payments


@pytest.fixture
def double(stripe_double):
    return stripe_double


@pytest.fixture
def customer(money):
    return money.create_customer(email="alice@example.com", name="Alice", key="alice")


@pytest.fixture
def visa(money, customer):
    card = money.attach_card(customer=customer, source="tok_visa")
    money.make_default(customer=customer, card=card)
    return card


@pytest.fixture
def charge(money, customer, visa):
    """Five dollars from the card on file: one request, where nothing fails."""

    def charge(source=visa.id, top_up="one"):
        return money.charge(customer=customer, source=source, amount_cents=500, top_up=top_up)

    return charge


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("billing.gateway.stripe_payments.TIMEOUT", 0.1)


@pytest.fixture
def one_try(monkeypatch):
    """Nothing is tried again inside a call: to be used before the adapter is made."""
    monkeypatch.setattr("billing.gateway.stripe_payments.RETRIES", 0)


# --- What is sent ---------------------------------------------------------------------------------------------------


def test_a_customer_is_opened_with_name_and_key(double, customer):
    (sent,) = double.sent("POST", "/v1/customers")
    assert (sent.get("email"), sent.get("name")) == ("alice@example.com", "Alice")
    assert sent.headers["Idempotency-Key"] == "alice"


def test_a_charge_carries_the_top_up_as_key_and_as_metadata(double, visa, charge):
    charge()
    (sent,) = double.sent("POST", INTENTS)
    assert sent.headers["Idempotency-Key"] == "top-up-one"
    assert (sent.get("metadata[topUp]"), sent.get("amount"), sent.get("currency")) == ("one", "500", "usd")
    assert (sent.get("payment_method"), sent.get("confirm")) == (visa.id, "true")


def test_a_charge_never_leads_away_to_a_banks_page(double, charge):
    charge()
    (sent,) = double.sent("POST", INTENTS)
    assert sent.get("automatic_payment_methods[allow_redirects]") == "never"


# --- A network that fails -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.DROP, Fault.LOSE_ANSWER])
def test_a_failure_is_tried_once_more_and_charges_once(double, charge, impatient, fault):
    double.fail_next(fault)
    assert charge().status == "succeeded"
    assert double.books == [500]


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.DROP])
def test_two_failures_are_given_up_and_charge_nothing(double, charge, impatient, fault):
    double.fail_next(fault, fault)
    with pytest.raises(PaymentsUnavailable):
        charge()
    assert len(double.sent("POST", INTENTS)) == 2
    assert double.books == []


@pytest.mark.usefixtures("one_try")
def test_a_lost_answer_charges_once(double, charge):
    double.fail_next(Fault.LOSE_ANSWER)
    with pytest.raises(PaymentsUnavailable):
        charge()
    assert charge().status == "succeeded"
    assert double.books == [500]


@pytest.mark.usefixtures("one_try")
def test_a_lost_answer_is_found_again(money, double, customer, charge):
    double.fail_next(Fault.LOSE_ANSWER)
    with pytest.raises(PaymentsUnavailable):
        charge()
    found = money.find_payment(customer=customer, top_up="one")
    assert (found.status, found.amount_cents) == ("succeeded", 500)


@pytest.mark.usefixtures("one_try")
def test_a_lost_refusal_stays_a_refusal(money, double, customer, charge):
    failing = money.attach_card(customer=customer, source="tok_chargeCustomerFail")
    double.fail_next(Fault.LOSE_ANSWER)
    with pytest.raises(PaymentsUnavailable):
        charge(source=failing.id)
    with pytest.raises(CardDeclined):
        charge(source=failing.id)
    assert len(double.charges) == 1


@pytest.mark.usefixtures("one_try")
def test_a_lost_answer_uses_a_token_once(double, charge):
    token = double.token("visa")
    double.fail_next(Fault.LOSE_ANSWER)
    with pytest.raises(PaymentsUnavailable):
        charge(source=token)
    assert charge(source=token).status == "succeeded"
    assert double.books == [500]


@pytest.mark.usefixtures("one_try")
def test_nobody_listening_is_unavailable(money, double, customer):
    double.server.shutdown()
    double.server.server_close()
    with pytest.raises(PaymentsUnavailable):
        money.default_card(customer=customer)


# --- Stripe's errors ------------------------------------------------------------------------------------------------


def test_a_500_is_unavailable_and_stays_so_under_its_key(double, charge):
    double.fail_next(Fault.SERVER_ERROR)
    for _ in range(2):
        with pytest.raises(PaymentsUnavailable):
            charge()
    assert double.books == []


BUSY = error(429, "invalid_request_error", "Too many requests.", code="rate_limit")
IN_USE = error(409, "idempotency_error", "Another request with this key is running.", code="idempotency_key_in_use")
WRONG_KEY = error(401, "invalid_request_error", "Invalid API Key provided: sk_test_****back")
NOT_ALLOWED = error(403, "invalid_request_error", "The provided key does not have the required permissions.")
A_PROXYS_PAGE = Answer(200, "<html>Sign in to the network</html>")


@pytest.mark.usefixtures("one_try")
@pytest.mark.parametrize("answer", [BUSY, IN_USE, WRONG_KEY, NOT_ALLOWED, A_PROXYS_PAGE])
def test_what_is_not_about_the_card_is_unavailable(double, charge, answer):
    double.fail_next(answer)
    with pytest.raises(PaymentsUnavailable):
        charge()


def test_a_stripe_that_is_down_is_asked_twice(money, double, customer):
    double.fail_next(Answer(503, "<html>Down for maintenance</html>"), Fault.SERVER_ERROR)
    with pytest.raises(PaymentsUnavailable):
        money.default_card(customer=customer)
    assert len(double.sent("GET", "/v1/customers/.*")) == 2


def test_a_key_with_another_amount_charges_nothing_more(money, double, customer, charge, visa):
    charge()
    with pytest.raises(PaymentsUnavailable):
        money.charge(customer=customer, source=visa.id, amount_cents=900, top_up="one")
    assert double.books == [500]


def test_the_banks_own_sentence_is_passed_on(double, charge):
    double.fail_next(error(402, "card_error", "Your card has expired.", code="expired_card"))
    with pytest.raises(CardDeclined, match=r"^Your card has expired\.$"):
        charge()


def test_a_used_token_is_unusable(money, double, customer):
    token = double.token("visa")
    money.attach_card(customer=customer, source=token)
    with pytest.raises(UnusableSource):
        money.attach_card(customer=customer, source=token)


@pytest.mark.parametrize("source", ["../customers", "pm_1?expand[]=customer", "pm_é", "pm_\x00", " "])
def test_a_hostile_source_reaches_no_other_address(money, double, customer, source):
    with pytest.raises((UnknownSource, UnusableSource)):
        money.attach_card(customer=customer, source=source)
    assert double.sent("GET", "/v1/payment_methods/[^/]+")


# --- Cards from before PaymentMethods -------------------------------------------------------------------------------


def test_an_old_customers_default_source_is_the_default_card(money, double, customer, charge):
    double.customers[customer]["invoice_settings"]["default_payment_method"] = None
    old = double.old_card("card", customer=customer)
    assert money.default_card(customer=customer).id == old
    assert charge(source="").status == "succeeded"
    assert double.intents.popitem()[1]["payment_method"] == old


def test_an_old_card_of_ones_own_is_attached_already(money, double, customer):
    old = double.old_card("card", customer=customer)
    assert money.attach_card(customer=customer, source=old).id == old
    assert not double.sent("POST", ".*/(attach|sources)")[1:]


def test_a_source_is_attached_the_old_way(money, double, customer, charge):
    old = double.old_card("src", kind="mastercard")
    card = money.attach_card(customer=customer, source=old)
    assert (card.id, card.last4) == (old, "4444")
    assert charge(source=old).status == "succeeded"


def test_what_is_no_card_is_refused(money, double, customer):
    account = double.old_card("src", customer=customer)
    double.methods[account].update(type="us_bank_account", card=None)
    with pytest.raises(UnusableSource, match="Only cards"):
        money.attach_card(customer=customer, source=account)


@pytest.mark.parametrize("call", ["attach_card", "default_card", "charge", "find_payment", "total_charged"])
def test_a_deleted_customer_is_gone_whatever_is_asked(money, double, customer, call):
    double.delete_customer(customer)
    with pytest.raises(CustomerGone):
        getattr(money, call)(**{**CALLS[call], "customer": customer})


# --- Long lists -----------------------------------------------------------------------------------------------------


def test_the_total_counts_all_charges_less_refunds(money, double, customer):
    for _ in range(250):
        double.charged_before(customer, cents=100)
    double.charged_before(customer, cents=500, refunded=200)
    double.charged_before(customer, cents=700, refunded=700)
    double.charged_before(customer, cents=900, succeeded=False)
    assert money.total_charged(customer=customer) == 25_000 + 300
    assert len(double.sent("GET", "/v1/charges")) == 3


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        ({}, 500),
        ({"captured": True}, 500),
        ({"captured": False}, 0),
        ({"status": "failed"}, 0),
        ({"currency": "USD"}, 500),
    ],
    ids=str,
)
def test_a_charge_from_before_captures_were_told_counts_whole_where_it_succeeded(
    money, double, customer, told, counted
):
    charge = double._charge_of(double.charged_before(customer, cents=500)["id"])
    del charge["captured"], charge["amount_captured"]
    charge.update(told)
    assert money.total_charged(customer=customer) == counted


def test_the_total_is_the_customers_own(money, double, customer):
    other = money.create_customer(email="bob@example.com", name="Bob", key="bob")
    double.charged_before(other, cents=100)
    assert money.total_charged(customer=customer) == 0


@pytest.mark.parametrize(("named", "counted"), [(None, 500), ("cus_other", 0)])
def test_of_the_charges_that_are_answered_those_that_name_another_customer_do_not_count(
    money, double, customer, named, counted
):
    charge = double._charge_of(double.charged_before(customer, cents=500)["id"])
    answered = {"object": "list", "data": [{**charge, "customer": named}], "has_more": False}
    double.fail_next(Answer(200, answered))
    assert money.total_charged(customer=customer) == counted


def test_a_payment_is_found_beyond_the_first_page(money, double, customer, charge):
    payment = charge()
    for _ in range(150):
        double.charged_before(customer, cents=100)
    assert money.find_payment(customer=customer, top_up="one") == payment


def test_a_payment_is_looked_for_among_the_newest_only(money, double, customer, charge):
    charge()
    for _ in range(300):
        double.charged_before(customer, cents=100)
    assert money.find_payment(customer=customer, top_up="one") is None


# --- Consent, and the deadline --------------------------------------------------------------------------------------


def test_a_payment_that_its_owner_confirmed_is_not_cancelled(money, double, charge):
    waiting = charge(source="pm_card_authenticationRequired")
    double.consent(waiting.id)
    assert money.cancel(payment=waiting.id).status == "succeeded"
    assert double.books == [500]


CALLS = {
    "create_customer": {"email": "alice@example.com", "name": "Alice", "key": "alice"},
    "attach_card": {"customer": "cus_1", "source": "tok_visa"},
    "default_card": {"customer": "cus_1"},
    "charge": {"customer": "cus_1", "source": "", "amount_cents": 500, "top_up": "one"},
    "find_payment": {"customer": "cus_1", "top_up": "one"},
    "cancel": {"payment": "pi_1"},
    "total_charged": {"customer": "cus_1"},
}


@pytest.mark.parametrize("call", CALLS)
def test_past_the_deadline_nothing_is_sent(money, double, past_deadline, call):
    with pytest.raises(PaymentsUnavailable):
        getattr(money, call)(**CALLS[call])
    assert double.requests == []


def test_a_call_takes_no_longer_than_the_deadline(money, double, customer, short_deadline):
    double.fail_next(Fault.HANG, Fault.HANG)
    with pytest.raises(PaymentsUnavailable):
        money.total_charged(customer=customer)
    assert len(double.sent("GET", "/v1/charges")) == 1
