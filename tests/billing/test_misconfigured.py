"""Faults of the operator are told to the operator, and not to whoever pays as faults of their card."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.db.models.signals import pre_save
from django.utils import timezone

from billing.cards import replace_default
from billing.gateway.interface import PaymentsMisconfigured, RefundRefused
from billing.ledger import account_of
from billing.models import PaymentNotice, RefundRequest, StripeEvent, TopUp
from billing.notices import notify
from billing.refunds import refund
from tests.doubles.server import Fault
from tests.doubles.stripe import event
from tests.doubles.stripe_objects import error
from tests.neighbours import ours

WORDS = "Stripe's own words of sk_live_abc123"


def refused(status, code=None, kind="invalid_request_error", **fields):
    return error(status, kind, WORDS, **({"code": code} if code else {}), **fields)


SET_UP = {
    "an expired key": refused(401, "api_key_expired"),
    "a wrong key": refused(401),
    "a restricted key": refused(403),
    "test mode": refused(400, "testmode_charges_only"),
    "test mode, as of a card": refused(402, "testmode_charges_only", "card_error"),
    "test mode, and a real card": refused(402, "card_declined", "card_error", decline_code="test_mode_live_card"),
    "no account": refused(403, "account_invalid"),
    "an account that is not active": refused(400, "account_invalid"),
    "currency": refused(400, "currency_not_supported", param="currency"),
    "cards are off": refused(400, "payment_method_unactivated", param="payment_method_types"),
    "an unknown parameter": refused(400, "parameter_unknown", param="automatic_payment_methods"),
    "a missing parameter": refused(400, "parameter_missing", param="payment_method_options[card][mandate]"),
    "the other mode": error(
        400,
        "invalid_request_error",
        "No such token: 'tok_1'; a similar object exists in test mode, but a live mode key was used.",
        code="resource_missing",
        param="payment_method",
    ),
    "no code at all": error(400, "invalid_request_error", "As per Indian regulations, exports need a description."),
    "no code, and words of the dashboard": error(
        400, "invalid_request_error", "This payment method is not activated: see to it in your dashboard."
    ),
    "another key's parameters": refused(400, None, "idempotency_error"),
}
set_up = pytest.mark.parametrize("answer", SET_UP.values(), ids=SET_UP)


@pytest.fixture
def pay(stripe_payments, api, alice):
    replace_default(user=alice, source="tok_visa")
    alice.refresh_from_db()

    def pay(dollars=20, key=None):
        headers = {"Idempotency-Key": key} if key else {}
        return api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": dollars}, headers=headers)

    return pay


def is_told(answer):
    return (answer.status_code, answer.json()["code"]) == (503, "payments_misconfigured") and answer["Retry-After"]


@set_up
def test_whoever_pays_is_told_that_nothing_was_charged(pay, stripe_double, answer):
    stripe_double.fail_next(None, None, answer)
    said = pay()
    assert is_told(said)
    assert int(said["Retry-After"]) >= 60  # an operator has to see to it first
    assert "nothing was charged" in said.json()["detail"]
    assert (ours(TopUp).get().status, stripe_double.books) == ("refused", [])


@set_up
def test_the_operator_reads_stripes_own_words_without_a_key(pay, stripe_double, caplog, answer):
    stripe_double.fail_next(None, None, answer)
    pay()
    words, said = PaymentNotice.objects.get().words, answer.body["error"]["message"]
    assert said.replace("sk_live_abc123", "sk_live_…") in words
    (line,) = [each for each in caplog.records if each.levelname == "ERROR" and each.name.startswith("billing")]
    assert "Stripe refuses how payments are set up" in line.getMessage()
    assert said not in line.getMessage()


@pytest.mark.parametrize("kind", ["sk_live_", "sk_test_", "rk_live_", "rk_test_", "pk_live_", "sk_org_", "whsec_"])
def test_no_kind_of_key_is_kept_with_stripes_words(pay, stripe_double, kind):
    words = f"The key {kind}51Abc*9z must not do that."
    stripe_double.fail_next(None, None, error(403, "invalid_request_error", words))
    pay()
    assert words.replace("51Abc*9z", "…") in PaymentNotice.objects.get().words


@set_up
def test_a_card_that_is_entered_meanwhile_is_no_bad_card(pay, api, alice, stripe_double, answer):
    stripe_double.fail_next(None, answer)
    said = api.post("/api/billing/attachSourceToCustomer", {"userStripeId": alice.stripe_id, "sourceId": "tok_visa"})
    assert is_told(said)


OF_THE_CARD = {
    "a used token": refused(400, "token_already_used"),
    "detached": refused(400, "payment_method_unexpected_state"),
    "somebody else's": refused(400, param="payment_method"),
    "no code at all": error(400, "invalid_request_error", "The payment method you provided was attached before."),
}


@pytest.mark.parametrize("answer", OF_THE_CARD.values(), ids=OF_THE_CARD)
def test_what_is_the_cards_fault_stays_the_cards(pay, stripe_double, answer):
    stripe_double.fail_next(None, None, answer)
    assert pay().json() == {"errorMessage": "This card cannot be used. Enter it again."}
    assert not PaymentNotice.objects.exists()


def test_a_bank_that_does_not_take_the_currency_is_the_cards_fault(pay, stripe_double):
    stripe_double.fail_next(
        None, None, refused(402, "card_declined", "card_error", decline_code="currency_not_supported")
    )
    assert pay().json() == {"errorMessage": WORDS}


@pytest.mark.parametrize("place", range(3))
def test_wherever_stripe_says_so_nothing_stays_pending(pay, stripe_double, place):
    stripe_double.fail_next(*[None] * place, SET_UP["an expired key"])
    assert is_told(pay())
    assert ours(TopUp).get().status == "refused"


def test_once_it_is_put_right_people_pay_again(pay, stripe_double):
    stripe_double.refusal = SET_UP["an expired key"]
    assert is_told(pay(key="k1"))
    stripe_double.refusal = None
    assert "nothing was charged" in pay(key="k1").json()["errorMessage"]
    assert pay(key="k2").json() == {"updatedAccountBalance": 20}
    assert stripe_double.books == [2000]


@pytest.fixture
def lost(pay, stripe_double):
    """A payment that went through, and its answer was lost."""
    stripe_double.fail_next(None, None, Fault.LOSE_ANSWER, Fault.LOSE_ANSWER)
    pay()


def test_what_may_have_been_charged_is_not_said_to_be_nothing(lost, pay, stripe_double, balance):
    stripe_double.refusal = SET_UP["an expired key"]
    said = pay()
    assert is_told(said)
    assert "is not known yet" in said.json()["detail"]
    stripe_double.refusal = None
    assert pay().json() == {"updatedAccountBalance": 20}
    assert (stripe_double.books, balance()) == ([2000], "20.00")


def test_who_pays_again_after_three_days_is_not_told_that_nothing_was_charged(lost, pay, stripe_double):
    ours(TopUp).update(created_at=timezone.now() - timedelta(days=4))
    stripe_double.refusal = SET_UP["an expired key"]
    said = pay()
    assert is_told(said)
    assert "could not be found out for three days" in said.json()["detail"]


def test_it_does_not_stay_pending_for_ever_and_is_posted_in_the_end(lost, stripe_double, balance, capsys):
    ours(TopUp).update(created_at=timezone.now() - timedelta(days=4))
    stripe_double.refusal = SET_UP["an expired key"]
    with pytest.raises(CommandError):
        call_command("reconcile_payments")
    refused = ours(TopUp).get()
    assert (refused.status, "could not be found out for three days" in refused.message) == ("refused", True)
    assert "nothing was charged" not in refused.message
    stripe_double.refusal = None
    call_command("reconcile_payments")
    assert balance() == "20.00"


@pytest.mark.parametrize(("card", "status"), [("pm_1", "pending"), ("", "refused")], ids=["tried", "never tried"])
def test_of_who_is_gone_what_may_have_been_charged_is_not_given_up(pay, stripe_double, api, alice, card, status):
    TopUp.objects.create(account=account_of(alice), customer=alice.stripe_id, amount_cents=2000, card=card)
    assert api.delete(f"/api/users/{alice.pk}").status_code == 200
    stripe_double.refusal = SET_UP["an expired key"]
    with pytest.raises(CommandError):
        call_command("reconcile_payments")
    assert ours(TopUp).get().status == status


def test_nothing_that_was_never_charged_stays_pending(pay, stripe_double, alice):
    TopUp.objects.create(account=account_of(alice), customer=alice.stripe_id, amount_cents=2000)
    stripe_double.refusal = SET_UP["a restricted key"]
    assert is_told(pay())
    assert ours(TopUp).get().status == "refused"


@pytest.fixture
def deployed(lost, stripe_double):
    """The new code sends other parameters under the key of the payment that was lost."""
    for key, ((path, _), answer) in stripe_double.keys.items():
        stripe_double.keys[key] = (path, b"other parameters"), answer


def test_a_key_that_stripe_knows_otherwise_is_looked_up_first(deployed, pay, stripe_double):
    assert pay().json() == {"updatedAccountBalance": 20}
    assert stripe_double.books == [2000]


def test_it_is_looked_up_where_the_payment_was_new_too(pay, stripe_double, monkeypatch):
    def charges_and_conflicts(double, request):
        double.create_intent(request)
        return SET_UP["another key's parameters"]

    routes = [("POST", "/v1/payment_intents", charges_and_conflicts)]
    monkeypatch.setattr(stripe_double, "routes", (*routes, *stripe_double.routes), raising=False)
    assert pay().json() == {"updatedAccountBalance": 20}
    assert stripe_double.books == [2000]


def test_an_event_about_which_stripe_refuses_to_answer_is_kept(send, paid, stripe_double, entries):
    stripe_double.refunded(paid, 500)
    stripe_double.refusal = SET_UP["a restricted key"]
    assert send(event("charge.refunded", stripe_double._charge_of(paid))).status_code == 204
    assert "not possible" in ours(StripeEvent).get().reason
    stripe_double.refusal = None
    call_command("reconcile_payments")
    assert entries() == [("top_up", 2000), ("refund", -500)]


def test_an_email_that_stripe_does_not_take_stands_in_nobodys_way(stripe_payments, stripe_double, api, db):
    stripe_double.fail_next(refused(400, "email_invalid", param="email"))
    answer = api.post("/api/users", {"email": "rose@example.test"})
    assert answer.json()["stripeId"].startswith("cus_")
    assert not PaymentNotice.objects.exists()
    with_email, without = (asked.headers["Idempotency-Key"] for asked in stripe_double.requests)
    assert with_email != without


def test_what_else_stripe_refuses_is_not_tried_without_the_email(stripe_payments, stripe_double, api, db):
    stripe_double.fail_next(refused(400, "parameter_unknown", param="name"))
    assert api.post("/api/users", {"email": "rose@example.test"}).json()["stripeId"] is None
    assert len(stripe_double.requests) == 1


@pytest.mark.parametrize("refusal", ["an expired key", "test mode"])
def test_an_operators_refund_says_that_nothing_was_done(pay, stripe_double, balance, refusal):
    pay()
    stripe_double.refusal = SET_UP[refusal]
    with pytest.raises(PaymentsMisconfigured):
        refund(top_up=ours(TopUp).get(), amount_cents=500, key="k")
    assert (ours(RefundRequest).get().status, stripe_double.books, balance()) == ("refused", [2000], "20.00")


def test_a_refund_whose_key_stripe_knows_otherwise_is_refused_and_no_fault_of_the_set_up(pay, stripe_double):
    pay()
    stripe_double.fail_next(SET_UP["another key's parameters"])
    with pytest.raises(RefundRefused):
        refund(top_up=ours(TopUp).get(), amount_cents=500, key="k")
    assert not PaymentNotice.objects.exists()


def test_what_cannot_be_written_down_for_the_operators_holds_up_nothing(alice, caplog):
    def fail(**_):
        raise DatabaseError

    pre_save.connect(fail, sender=PaymentNotice)
    try:
        notify("stripe:x", WORDS)
    finally:
        pre_save.disconnect(fail, sender=PaymentNotice)
    assert "could not be kept" in caplog.text
    assert not PaymentNotice.objects.exists()
