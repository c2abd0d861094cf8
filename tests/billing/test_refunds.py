"""Money back to the card: by Stripe's dashboard, told by webhooks, and by the operators' refund."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from billing.gateway.interface import PaymentsUnavailable, RefundRefused
from billing.models import LedgerEntry, RefundRequest, StripeEvent, TopUp
from billing.refunds import finish_request, refund
from tests.doubles.server import Fault
from tests.doubles.stripe import event
from tests.neighbours import ours


def test_a_refund_leaves_the_balance_and_says_why(tell, paid, stripe_double, balance):
    tell("refund.created", stripe_double.refunded(paid, 500))
    entry = LedgerEntry.objects.get(kind="refund")
    assert (balance(), entry.amount_micros, entry.balance_after_micros) == ("15.00", -5_000_000, 15_000_000)
    assert entry.memo.startswith("Refund to the card")


def test_each_refund_is_posted_once_however_often_it_is_told(tell, paid, stripe_double, entries):
    first, second = stripe_double.refunded(paid, 500), stripe_double.refunded(paid, 300)
    for kind in ("refund.created", "refund.updated", "refund.created"):
        tell(kind, first)
        tell(kind, second)
    assert entries() == [("top_up", 2000), ("refund", -500), ("refund", -300)]


def test_a_refund_on_its_way_has_left_already(tell, paid, stripe_double, balance):
    tell("refund.created", stripe_double.refunded(paid, 500, status="pending"))
    assert balance() == "15.00"


@pytest.mark.parametrize(("kind", "becomes"), [("refund.failed", "failed"), ("refund.updated", "canceled")])
@pytest.mark.parametrize("order", permutations(range(3)))
def test_a_refund_that_fails_comes_back_in_whatever_order_it_is_told(
    send, paid, stripe_double, balance, order, kind, becomes
):
    made = stripe_double.refunded(paid, 500, status="pending")
    told = [event("refund.created", made), event("refund.updated", made)]
    told.append(event(kind, stripe_double.refund_becomes(made["id"], becomes)))
    for place in order:
        assert send(told[place]).status_code == 204
    assert balance() == "20.00"


def test_a_charge_that_was_refunded_makes_us_fetch_its_refunds(tell, paid, stripe_double, entries):
    stripe_double.refunded(paid, 500)
    stripe_double.refunded(paid, 300)
    tell("charge.refunded", stripe_double._charge_of(paid))
    assert sorted(entries()) == [("refund", -500), ("refund", -300), ("top_up", 2000)]


def test_while_stripe_does_not_answer_the_event_waits_and_its_next_delivery_counts(send, paid, stripe_double, entries):
    stripe_double.refunded(paid, 500)
    body = event("charge.refunded", stripe_double._charge_of(paid))
    stripe_double.fail_next(Fault.DROP, Fault.DROP)
    assert (send(body).status_code, ours(StripeEvent).get().applied_at) == (503, None)
    assert send(body).status_code == 204
    assert entries() == [("top_up", 2000), ("refund", -500)]


@pytest.fixture
def unheard(stripe_double, paid):
    """A payment of which we know neither the answer nor the webhook, and its refund."""
    ours(TopUp).update(status="pending", payment="", entry=None)
    return {**stripe_double.refunded(paid, 500)}


@pytest.mark.django_db(transaction=True)
def test_a_refund_that_comes_before_its_payment_brings_the_payment(tell, unheard, stripe_double, entries, alice):
    from billing import triggers

    triggers.lift()
    ours(LedgerEntry).all().delete()
    tell("refund.created", unheard)
    assert entries() == [("top_up", 2000), ("refund", -500)]


def test_a_refund_of_money_that_has_no_top_up_is_posted(tell, unheard, entries):
    tell("refund.created", unheard)
    assert entries() == [("top_up", 2000), ("refund", -500)]


def test_a_refund_of_somebody_elses_payment_is_answered(tell, stripe_double, entries, paid):
    foreign = {**stripe_double.refunded(paid, 500), "id": "re_foreign", "payment_intent": "pi_foreign"}
    tell("refund.created", foreign)
    asked = len(stripe_double.requests)
    tell("refund.created", {**foreign, "payment_intent": None})
    assert len(stripe_double.requests) == asked
    assert entries() == [("top_up", 2000)]


def give_back(cents, key="k"):
    return refund(top_up=ours(TopUp).get(), amount_cents=cents, key=key)


def test_an_operator_gives_money_back_through_stripe(paid, stripe_double, balance):
    give_back(700)
    assert (stripe_double.books, balance()) == ([1300], "13.00")


def test_the_same_key_gives_back_once_and_the_webhook_adds_nothing(paid, tell, stripe_double, entries):
    made = [give_back(700), give_back(700)][0]
    tell("refund.created", stripe_double.refunds[made.id])
    assert (stripe_double.books, entries()) == ([1300], [("top_up", 2000), ("refund", -700)])


def test_a_lost_answer_gives_back_once(paid, stripe_double, entries):
    stripe_double.fail_next(Fault.LOSE_ANSWER, Fault.LOSE_ANSWER)
    with pytest.raises(PaymentsUnavailable):
        give_back(700)
    give_back(700)
    assert (stripe_double.books, entries()) == ([1300], [("top_up", 2000), ("refund", -700)])


def test_what_stripe_made_at_the_first_try_is_found_whenever_it_was_asked_again(paid, stripe_double, entries):
    """Its answer was lost, and the operator's second try half an hour later came to nothing."""
    top_up = TopUp.objects.get(payment=paid)
    for faults in ([Fault.LOSE_ANSWER] * 2, [Fault.DROP] * 2):
        stripe_double.fail_next(*faults)
        with pytest.raises(PaymentsUnavailable):
            refund(top_up=top_up, amount_cents=500, key="k1")
    (made,) = stripe_double.refunds.values()
    made["created"] -= 1800
    ours(RefundRequest).update(created_at=timezone.now() - timedelta(minutes=30))
    assert finish_request(ours(RefundRequest).get(), now=timezone.now())
    assert entries() == [("top_up", 2000), ("refund", -500)]


@pytest.mark.parametrize("cents", [0, -1, 2001])
def test_no_more_than_the_balance_goes_back(paid, stripe_double, cents):
    with pytest.raises(ValidationError):
        give_back(cents)
    assert stripe_double.books == [2000]


def test_stripe_refuses_what_was_given_back_before(paid, stripe_double, alice):
    stripe_double.refunded(paid, 1500)
    with pytest.raises(RefundRefused):
        give_back(700)
