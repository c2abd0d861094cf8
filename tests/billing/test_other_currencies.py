"""Money in another currency than the ledger's: the operator's account is kept in it, or a payment was made in it."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing.ledger import account_of
from billing.models import Dispute, PaymentNotice, StripeEvent, TopUp
from tests.doubles.stripe_objects import new_intent
from tests.neighbours import ours

WITHDRAWN, REINSTATED = "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"


@pytest.fixture
def reconcile(capsys):
    """What `reconcile_payments` says is left."""

    def reconcile():
        try:
            call_command("reconcile_payments")
        except CommandError as error:
            return str(error)
        return ""

    return reconcile


@pytest.mark.parametrize(
    ("into", "rate", "moved"),
    [
        ("eur", 0.9285, -1857),
        ("eur", 0.92853, -1857),  # rounded at Stripe
        ("gbp", 0.8, -1600),
        ("jpy", 150.0, -3000),  # the rate of units
        ("jpy", 1.5, -3000),  # the rate of the smallest ones
        ("kwd", 0.3, -6000),
        ("eur", None, -1857),
        ("EUR", 0.9285, -1857),
    ],
)
def test_what_is_disputed_leaves_in_the_currency_of_the_payment(tell, paid, stripe_double, entries, into, rate, moved):
    dispute = stripe_double.disputed(paid, into=into)
    dispute["balance_transactions"][0].update(amount=moved, exchange_rate=rate)
    tell(WITHDRAWN, dispute)
    assert entries() == [("top_up", 2000), ("dispute", -2000)]


@pytest.mark.parametrize(("into", "rate"), [("usd", 1.0), ("eur", 0.9), ("jpy", 150.0), ("jpy", 1.5)])
def test_of_a_part_that_is_withdrawn_the_same_part_leaves(tell, paid, stripe_double, entries, into, rate):
    dispute = stripe_double.disputed(paid, into=into, rate=rate, part=0.25)
    dispute["balance_transactions"][0]["amount"] = {"usd": -500, "eur": -450, "jpy": -750}[into]
    tell(WITHDRAWN, dispute)
    assert entries() == [("top_up", 2000), ("dispute", -500)]


@pytest.mark.parametrize(
    ("back", "rate"),
    [(1857, 0.9285), (1860, 0.93), (1857, 0.94), (1900, 0.9285)],
    ids=["at the same rate", "at another", "the same sum, another rate", "more than had left"],
)
def test_what_is_won_comes_back_whole(tell, paid, stripe_double, balance, back, rate):
    dispute = stripe_double.disputed(paid, into="eur", rate=0.9285)
    stripe_double.moves(dispute, back, into="eur", rate=rate)
    tell(WITHDRAWN, dispute)
    tell(REINSTATED, {**dispute, "status": "won"})
    assert balance() == "20.00"


def test_a_part_that_comes_back_is_that_part(tell, paid, stripe_double, entries):
    dispute = stripe_double.disputed(paid, into="eur", rate=0.9)
    stripe_double.moves(dispute, 450, into="eur", rate=0.9)
    tell(REINSTATED, dispute)
    assert entries() == [("top_up", 2000), ("dispute", -2000), ("dispute_won", 500)]


def test_the_fee_that_is_listed_beside_it_is_the_operators(tell, paid, stripe_double, entries):
    dispute = stripe_double.disputed(paid, into="eur", rate=0.9)
    stripe_double.moves(dispute, -1500, into="eur", rate=0.9)
    tell(WITHDRAWN, dispute)
    assert entries() == [("top_up", 2000), ("dispute", -2000)]


@pytest.mark.alone
def test_the_ledger_agrees_with_stripe_afterwards(tell, paid, stripe_double, reconcile):
    dispute = stripe_double.disputed(paid, into="eur", rate=0.9285)
    tell(WITHDRAWN, dispute)
    assert reconcile() == ""
    call_command("check_ledger")


def test_a_dispute_in_another_currency_stops_calls_and_is_shown_to_staff(tell, paid, stripe_double, entries, reconcile):
    dispute = stripe_double.disputed(paid)
    dispute.update(currency="eur", amount=1857)
    tell(WITHDRAWN, dispute)
    assert (entries(), ours(Dispute).get().settled) == ([("top_up", 2000)], False)
    assert ours(Dispute).get().amount_cents == 2000  # of the payment: a ledger in dollars has no euros
    assert "is in EUR: it was not posted" in ours(StripeEvent).get().reason
    assert "is in EUR" in PaymentNotice.objects.get().words
    assert f"stripe:{dispute['id']}: in EUR" in reconcile()


def test_a_refund_in_another_currency_is_never_posted_as_dollars(tell, paid, stripe_double, entries, reconcile):
    refund = stripe_double.refunded(paid, 500)
    refund["currency"] = "jpy"
    tell("refund.created", refund)
    assert entries() == [("top_up", 2000)]
    assert "is in JPY" in PaymentNotice.objects.get().words
    assert f"stripe:{refund['id']}: in JPY" in reconcile()


def test_each_refund_in_another_currency_is_shown_to_staff(tell, paid, stripe_double):
    refunds = [stripe_double.refunded(paid, 500) for _ in range(2)]
    for refund in refunds:
        refund["currency"] = "jpy"
        tell("refund.created", refund)
    words = list(PaymentNotice.objects.values_list("words", flat=True))
    assert [sum(refund["id"] in each for each in words) for refund in refunds] == [1, 1]


def test_what_comes_again_is_shown_as_new(tell, paid, stripe_double):
    refund = stripe_double.refunded(paid, 500)
    refund["currency"] = "jpy"
    tell("refund.created", refund)
    long_ago = timezone.now() - timedelta(days=9)
    PaymentNotice.objects.update(last_at=long_ago)
    tell("refund.updated", refund)
    assert PaymentNotice.objects.get().last_at > long_ago


@pytest.fixture
def in_euros(stripe_payments, stripe_double, alice):
    """A payment of ours that was made in euros, which is not known here yet."""
    top_up = TopUp.objects.create(account=account_of(alice), customer="cus_1", amount_cents=2000)
    intent = new_intent(2000, "cus_1", "pm_1", {"topUp": str(top_up.pk)}, "")
    intent.update(currency="eur", status="succeeded", amount_received=2000)
    return stripe_double.intents.setdefault(intent["id"], intent)


def test_a_payment_in_another_currency_is_never_posted_as_dollars(tell, in_euros, entries):
    tell("payment_intent.succeeded", in_euros)
    assert entries() == []
    assert in_euros["id"] in PaymentNotice.objects.get().words
    assert "not made in dollars" in ours(TopUp).get().message


def test_it_is_a_difference_until_staff_has_seen_to_it(in_euros, reconcile, entries):
    for _ in range(2):
        assert f"stripe:{in_euros['id']}: in EUR" in reconcile()
    assert entries() == []


def test_a_refusal_in_another_currency_is_none(tell, in_euros, reconcile):
    in_euros.update(status="canceled", amount_received=0)
    tell("payment_intent.payment_failed", in_euros)
    assert (ours(TopUp).get().status, reconcile()) == ("refused", "")


def test_what_was_charged_in_another_currency_is_not_summed(stripe_payments, stripe_double, api, alice, paid):
    alice.refresh_from_db()
    stripe_double.charged_before(alice.stripe_id, cents=150_000, currency="jpy")
    answer = api.post("/api/billing/userStripeCharges", {"userStripeId": alice.stripe_id})
    assert answer.json() == {"sumOfUserStripeCharges": 20.0}
