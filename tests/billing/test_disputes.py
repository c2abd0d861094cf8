"""Disputes, by the money that they move."""

from itertools import permutations

import pytest

from billing.cards import replace_default
from billing.disputes import has_open_dispute
from billing.models import Dispute
from tests.doubles.server import Fault
from tests.doubles.stripe import event
from tests.neighbours import ours

WITHDRAWN, REINSTATED = "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"


def test_what_is_withdrawn_leaves_the_balance_without_the_fee(tell, paid, stripe_double, balance, entries):
    tell(WITHDRAWN, stripe_double.disputed(paid))
    assert (balance(), entries()) == ("0.00", [("top_up", 2000), ("dispute", -2000)])


def test_an_open_dispute_is_known_until_it_is_settled(tell, paid, stripe_double, alice):
    dispute = stripe_double.disputed(paid)
    tell("charge.dispute.created", dispute)
    assert has_open_dispute(alice.account)
    tell("charge.dispute.closed", stripe_double.dispute_ends(dispute["id"], "lost"))
    assert not has_open_dispute(alice.account)


@pytest.mark.parametrize("ending", ["won", "lost", "prevented", "warning_closed"])
def test_whatever_ends_it_calls_may_start_again(tell, paid, stripe_double, alice, ending):
    dispute = stripe_double.disputed(paid)
    tell("charge.dispute.created", dispute)
    tell("charge.dispute.closed", stripe_double.dispute_ends(dispute["id"], ending))
    assert (has_open_dispute(alice.account), ours(Dispute).get().status) == (False, ending)
    tell("charge.dispute.updated", {**dispute, "status": "under_review"})
    assert (has_open_dispute(alice.account), ours(Dispute).get().status) == (False, ending)


@pytest.mark.parametrize("status", ["needs_response", "under_review", "warning_needs_response"])
def test_until_then_it_stays_open(tell, paid, stripe_double, alice, status):
    dispute = stripe_double.disputed(paid)
    tell("charge.dispute.created", dispute)
    tell("charge.dispute.updated", {**dispute, "status": status})
    assert (has_open_dispute(alice.account), ours(Dispute).get().status) == (True, status)


def test_an_inquiry_that_becomes_a_dispute_stops_calls(tell, paid, stripe_double, entries, alice):
    inquiry = stripe_double.disputed(paid, status="warning_needs_response")
    tell("charge.dispute.created", inquiry)
    assert not has_open_dispute(alice.account)
    tell("charge.dispute.updated", {**inquiry, "status": "needs_response"})
    assert has_open_dispute(alice.account)


def test_a_dispute_that_is_won_brings_the_money_back(tell, paid, stripe_double, balance, alice):
    dispute = stripe_double.disputed(paid)
    tell(WITHDRAWN, dispute)
    tell(REINSTATED, stripe_double.dispute_ends(dispute["id"], "won"))
    assert (balance(), has_open_dispute(alice.account)) == ("20.00", False)


@pytest.mark.parametrize("order", permutations(range(4)))
def test_the_order_in_which_it_is_told_changes_nothing(send, paid, stripe_double, entries, alice, order):
    dispute = stripe_double.disputed(paid)
    told = [event("charge.dispute.created", dispute), event(WITHDRAWN, dispute)]
    stripe_double.dispute_ends(dispute["id"], "won")
    told += [event(REINSTATED, dispute), event("charge.dispute.closed", dispute)]
    for place in (*order, *order):
        assert send(told[place]).status_code == 204
    assert entries() == [("top_up", 2000), ("dispute", -2000), ("dispute_won", 2000)]
    assert ours(Dispute).get().status == "won"
    assert not has_open_dispute(alice.account)


def test_an_inquiry_moves_nothing_and_stops_nothing(tell, paid, stripe_double, entries, alice):
    inquiry = stripe_double.disputed(paid, status="warning_needs_response")
    for kind, status in (("created", "needs_response"), ("updated", "under_review"), ("closed", "closed")):
        tell(f"charge.dispute.{kind}", stripe_double.dispute_ends(inquiry["id"], f"warning_{status}"))
        assert (entries(), has_open_dispute(alice.account)) == ([("top_up", 2000)], False)


@pytest.mark.parametrize("kinds", [(WITHDRAWN,), (WITHDRAWN, REINSTATED), (REINSTATED, WITHDRAWN)])
def test_a_dispute_that_does_not_list_its_movements_is_told_by_its_events(tell, paid, stripe_double, balance, kinds):
    dispute = {**stripe_double.disputed(paid), "balance_transactions": []}
    for kind in kinds:
        tell(kind, dispute)
    assert balance() == ("20.00" if REINSTATED in kinds else "0.00")


def test_a_dispute_that_comes_before_its_payment_brings_the_payment(tell, api, alice, stripe_double, entries):
    replace_default(user=alice, source="tok_visa")
    stripe_double.fail_next(None, None, Fault.LOSE_ANSWER, Fault.LOSE_ANSWER)
    api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    (payment,) = stripe_double.intents
    tell(WITHDRAWN, stripe_double.disputed(payment))
    assert entries() == [("top_up", 2000), ("dispute", -2000)]


def test_a_dispute_of_somebody_elses_payment_is_answered(tell, paid, stripe_double, entries):
    tell(WITHDRAWN, {**stripe_double.disputed(paid), "payment_intent": "pi_foreign"})
    assert (entries(), ours(Dispute).count()) == ([("top_up", 2000)], 0)
