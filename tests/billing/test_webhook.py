"""Stripe's webhook, with truly signed bodies."""

import pytest

from billing.cards import replace_default
from billing.models import LedgerEntry, PaymentNotice, StripeEvent, TopUp
from billing.top_ups import cancel
from tests.billing.conftest import PATH
from tests.doubles.server import Fault
from tests.doubles.stripe import event
from tests.doubles.stripe_objects import declined
from tests.neighbours import ours


@pytest.fixture
def unanswered(send, api, alice, stripe_double):
    """Alice paid $20 at Stripe, and the answer was lost; the payment."""
    replace_default(user=alice, source="tok_visa")
    stripe_double.fail_next(None, None, Fault.LOSE_ANSWER, Fault.LOSE_ANSWER)
    api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    return next(iter(stripe_double.intents.values()))


def test_a_lost_payment_arrives_by_the_webhook(send, unanswered, balance):
    answer = send(event("payment_intent.succeeded", unanswered))
    assert (answer.status_code, answer.content) == (204, b"")
    assert balance() == "20.00"


def test_of_a_payment_in_dollars_there_is_nothing_to_tell_the_operators(send, unanswered):
    send(event("payment_intent.succeeded", unanswered))
    assert (ours(StripeEvent).get().reason, PaymentNotice.objects.exists()) == ("", False)


def test_a_second_delivery_changes_nothing(send, unanswered):
    body = event("payment_intent.succeeded", unanswered)
    assert {send(body).status_code for _ in range(3)} == {204}
    assert (ours(LedgerEntry).count(), ours(StripeEvent).count()) == (1, 1)


def test_another_event_about_the_same_payment_changes_nothing(send, unanswered, balance):
    for number in range(2):
        send(event("payment_intent.succeeded", unanswered, id=f"evt_{number}"))
    assert balance() == "20.00"


def test_a_failure_that_arrives_after_the_success_changes_nothing(send, unanswered, balance):
    send(event("payment_intent.succeeded", unanswered))
    before = ours(TopUp).values().get()
    failed = {**unanswered, "status": "requires_payment_method"}
    send(event("payment_intent.payment_failed", failed, id="evt_late"))
    assert (ours(TopUp).values().get(), balance()) == (before, "20.00")


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (declined(), "Your card was declined."),
        (None, "The payment was not completed in time and nothing was charged. Please try again."),
    ],
    ids=["declined", "nothing"],
)
def test_a_failure_ends_a_payment_that_hangs_and_says_why(send, unanswered, why, said):
    failed = {**unanswered, "status": "requires_payment_method", "last_payment_error": why}
    send(event("payment_intent.payment_failed", failed))
    ended = ours(TopUp).get()
    assert (ended.status, ended.message) == ("refused", said)


def test_a_failure_in_another_currency_brought_no_money_that_somebody_has_to_see_to(send, unanswered):
    send(event("payment_intent.payment_failed", {**unanswered, "status": "canceled", "currency": "eur"}))
    assert (ours(TopUp).get().status, ours(StripeEvent).get().reason) == ("refused", "")
    assert not PaymentNotice.objects.exists()


def test_why_a_payment_was_refused_stays_as_it_was_told_first(send, api, alice, stripe_double):
    replace_default(user=alice, source="tok_chargeCustomerFail")
    api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    before = ours(TopUp).values().get()
    (intent,) = stripe_double.intents.values()
    send(event("payment_intent.payment_failed", {**intent, "last_payment_error": None}))
    assert (before["message"], ours(TopUp).values().get()) == ("Your card was declined.", before)


@pytest.mark.parametrize("status", ["requires_action", "requires_capture", "canceled"])
def test_a_payment_that_has_ended_is_not_opened_again_by_what_is_told_late(send, api, alice, stripe_double, status):
    for card in ("tok_chargeCustomerFail", "tok_visa"):
        replace_default(user=alice, source=card)
        api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    before = list(ours(TopUp).order_by("pk").values())
    assert {each["status"] for each in before} == {"refused", "succeeded"}
    for intent in list(stripe_double.intents.values()):
        send(event("payment_intent.payment_failed", {**intent, "status": status}, id=f"evt_{intent['id']}"))
    assert list(ours(TopUp).order_by("pk").values()) == before


@pytest.mark.parametrize(("status", "becomes"), [("canceled", "refused"), ("processing", "consent")])
def test_a_payment_that_waits_for_consent_ends_with_what_ends_it_at_stripe(
    send, api, alice, stripe_double, status, becomes
):
    replace_default(user=alice, source="pm_card_authenticationRequired")
    api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    (intent,) = stripe_double.intents.values()
    assert ours(TopUp).get().status == "consent"
    assert send(event("payment_intent.payment_failed", {**intent, "status": status})).status_code == 204
    assert ours(TopUp).get().status == becomes
    assert ours(StripeEvent).get().applied_at is not None


def test_a_payment_that_waits_for_consent_says_so_and_not_why_an_earlier_try_failed(send, unanswered):
    again = {**unanswered, "status": "requires_action", "last_payment_error": declined()}
    send(event("payment_intent.payment_failed", again))
    waiting = ours(TopUp).get()
    assert (waiting.status, waiting.message) == ("consent", "Your bank wants you to confirm this payment.")


def test_consent_given_later_puts_the_money_on_the_balance(send, api, alice, stripe_double, balance):
    replace_default(user=alice, source="pm_card_authenticationRequired")
    api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    intent = ours(TopUp).get().payment
    stripe_double.consent(intent)
    send(event("payment_intent.succeeded", stripe_double.intents[intent]))
    assert balance() == "20.00"


def test_money_that_came_meanwhile_stays_though_the_payment_is_gone_when_it_is_to_be_cancelled(
    send, api, alice, stripe_double, balance
):
    replace_default(user=alice, source="pm_card_authenticationRequired")
    api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    as_it_was = ours(TopUp).get()
    stripe_double.consent(as_it_was.payment)
    send(event("payment_intent.succeeded", stripe_double.intents.pop(as_it_was.payment)))
    cancel(as_it_was)
    assert (ours(TopUp).get().status, balance()) == ("succeeded", "20.00")


@pytest.mark.parametrize("kind", ["customer.created", "charge.succeeded", "something.new"])
def test_another_event_is_stored_and_answered(send, kind):
    assert send(event(kind, {"id": "x", "object": "thing"})).status_code == 204
    assert ours(StripeEvent).get().type == kind


def test_a_payment_that_is_not_ours_is_answered(send, unanswered):
    foreign = {**unanswered, "id": "pi_foreign", "metadata": {}}
    assert send(event("payment_intent.succeeded", foreign)).status_code == 204
    assert not ours(LedgerEntry).exists()


@pytest.mark.parametrize("header", ["", "t=1,v1=00", "é", "t=x", "v1=" + "0" * 64, "t=1"])
def test_a_forged_event_is_400_and_not_stored(send, header):
    answer = send(event("payment_intent.succeeded", {"id": "pi_1"}), header)
    assert (answer.status_code, answer.json()["code"]) == (400, "signature_invalid")
    assert not ours(StripeEvent).exists()


def test_the_sandbox_takes_no_webhooks(api, db):
    assert api.post(PATH, {}).status_code == 400
