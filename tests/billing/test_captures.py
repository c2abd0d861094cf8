"""Payments that are only reserved, and those of which less is captured than was authorised."""

import pytest
from django.core.management import call_command

from billing.cards import replace_default
from billing.models import StripeEvent, TopUp
from billing.top_ups import RESERVED
from groups.notifications.models import SandboxEmail
from tests.neighbours import ours


@pytest.fixture
def pay(api, alice, paid):
    """Adds money that Stripe only reserves from now on; $20 were added before."""
    replace_default(user=alice, source="pm_card_reserved")
    return lambda dollars: api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": dollars})


@pytest.fixture
def waiting(pay, stripe_double):
    """A payment of $30 that is reserved; its id."""
    pay(30)
    return TopUp.objects.get(status="consent").payment


@pytest.fixture
def charged(api, alice):
    def charged():
        alice.refresh_from_db()
        answer = api.post("/api/billing/userStripeCharges", {"userStripeId": alice.stripe_id})
        return answer.json()["sumOfUserStripeCharges"]

    return charged


def test_what_is_reserved_is_not_on_the_balance_and_not_counted(pay, balance, charged):
    assert pay(30).json() == {"errorMessage": RESERVED}
    assert (balance(), charged()) == ("20.00", 20.0)


@pytest.mark.alone
def test_what_is_reserved_gives_way_to_the_next_payment(pay, waiting, stripe_double):
    pay(40)
    assert stripe_double.intents[waiting]["status"] == "canceled"
    assert not TopUp.objects.filter(status="pending").exists()


def test_what_is_captured_is_on_the_balance(tell, waiting, stripe_double, balance, charged):
    tell("payment_intent.succeeded", stripe_double.captured(waiting, 3000))
    assert (balance(), charged()) == ("50.00", 50.0)
    assert TopUp.objects.get(payment=waiting).captured_cents is None  # nothing less than was asked for


@pytest.fixture
def partly(tell, waiting, stripe_double):
    """Of the $30 only $5 were captured."""
    tell("payment_intent.succeeded", stripe_double.captured(waiting, 500))
    return waiting


def test_of_a_capture_of_less_only_that_is_on_the_balance(partly, balance, charged):
    assert (balance(), charged()) == ("25.00", 25.0)
    assert TopUp.objects.get(payment=partly).captured_cents == 500


@pytest.mark.alone
@pytest.mark.parametrize("untold", [[], ["balance_transaction"]], ids=["", "and whether it is booked is not told"])
def test_what_is_let_go_of_is_no_refund(partly, tell, stripe_double, entries, untold):
    (rest,) = stripe_double.refunds.values()
    tell("refund.created", {key: each for key, each in rest.items() if key not in untold})
    assert "never captured" in StripeEvent.objects.get(type="refund.created").reason
    tell("charge.refunded", stripe_double._charge_of(partly))
    assert entries() == [("top_up", 2000), ("top_up", 500)]


@pytest.mark.parametrize("booked", [{}, {"balance_transaction": None}], ids=["", "and is not booked yet"])
def test_what_is_given_back_of_it_is(partly, tell, stripe_double, entries, charged, booked):
    tell("refund.created", {**stripe_double.refunded(partly, 200), **booked})
    assert entries()[2:] == [("refund", -200)]
    assert charged() == 23.0


def test_who_pays_is_told_of_what_came_and_not_of_what_was_asked_for(partly, run_jobs):
    run_jobs()
    said = [text.splitlines()[0] for text in ours(SandboxEmail).order_by("pk").values_list("text", flat=True)]
    assert said == [f"${dollars} was added to your money for calls." for dollars in ("20.00", "5.00")]


@pytest.mark.parametrize("untold", [[], ["balance_transaction"]], ids=["", "and whether it is booked is not told"])
def test_a_refund_of_as_much_as_was_let_go_of_is_one(tell, waiting, stripe_double, entries, untold):
    tell("payment_intent.succeeded", stripe_double.captured(waiting, 1500))
    tell("charge.refunded", stripe_double._charge_of(waiting))
    assert entries() == [("top_up", 2000), ("top_up", 1500)]
    refund = stripe_double.refunded(waiting, 1500)
    tell("refund.created", {key: each for key, each in refund.items() if key not in untold})
    assert entries() == [("top_up", 2000), ("top_up", 1500), ("refund", -1500)]


@pytest.mark.alone
def test_the_books_agree_with_stripe(partly, stripe_double):
    stripe_double.refunded(partly, 200)
    call_command("reconcile_payments")
    call_command("check_ledger")


def test_the_charge_that_is_answered_is_what_came(api, alice, paid, stripe_double, monkeypatch):
    authorise = stripe_double.authorised
    monkeypatch.setattr(stripe_double, "authorised", lambda name: stripe_double.captured(authorise(name)["id"], 700))
    replace_default(user=alice, source="pm_card_reserved")
    alice.refresh_from_db()
    answer = api.post("/api/billing/createCharge", {"userStripeId": alice.stripe_id, "amountToAdd": 2000})
    assert answer.json()["charge"]["amount"] == 700
