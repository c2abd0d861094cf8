"""Money that is on its way back to a card is there for nothing else, and what calls hold does not go back."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from billing.audit.reconciliation import reconcile_payments
from billing.cards import replace_default
from billing.gateway.interface import PaymentsMisconfigured, PaymentsUnavailable, RefundRefused, UnknownSource
from billing.ledger import MoneyReserved, account_of, adjust, post_entry
from billing.models import RefundRequest, TopUp
from billing.refunds import finish_request, refund
from tests.doubles.server import Answer, Fault
from tests.doubles.stripe_objects import error
from tests.neighbours import ours
from tests.voice.conferences.test_event_races import at_once
from voice.callers import RefusedCallError
from voice.calls import start_call
from voice.models import Call

RATE = 10_300
REFUSED = '{"error": {"type": "invalid_request_error", "code": "charge_disputed"}}'


def give_back(cents, key="k", top_up=None):
    return refund(top_up=top_up or ours(TopUp).order_by("created_at").first(), amount_cents=cents, key=key)


@pytest.fixture
def lost(paid, stripe_double):
    """A refund of $15 that Stripe has made, and of which nothing was heard."""
    stripe_double.fail_next(Fault.LOSE_ANSWER, Fault.LOSE_ANSWER)
    with pytest.raises(PaymentsUnavailable):
        give_back(1500)


def statuses():
    return list(ours(RefundRequest).values_list("status", flat=True))


def test_what_was_asked_for_is_reserved_until_it_is_known_what_became_of_it(lost, stripe_double):
    with pytest.raises(ValidationError, match=r"up to \$5\.00"):
        give_back(501, key="another")
    assert stripe_double.books == [500]


def test_the_same_form_sent_again_is_not_refused_for_its_own_reservation(lost, stripe_double, balance):
    give_back(1500)
    assert (stripe_double.books, balance(), statuses()) == ([500], "5.00", ["made"])


def test_the_webhook_ends_the_reservation_when_it_posts(lost, tell, stripe_double, balance, alice):
    (made,) = stripe_double.refunds.values()
    tell("refund.created", made)
    assert (balance(), statuses(), account_of(alice).reserved_micros()) == ("5.00", ["made"], 0)


def test_what_stripe_refuses_is_free_again(paid, stripe_double, alice):
    stripe_double.refunded(paid, 1500)
    with pytest.raises(RefundRefused):
        give_back(700)
    assert (statuses(), account_of(alice).reserved_micros()) == (["refused"], 0)


def test_of_a_payment_that_stripe_does_not_know_nothing_goes_back_and_it_is_free_again(paid, stripe_double, alice):
    stripe_double.intents.clear()  # the operator has gone live
    with pytest.raises(UnknownSource):
        give_back(700)
    assert (statuses(), account_of(alice).reserved_micros()) == (["refused"], 0)


def test_what_stripe_does_not_do_for_our_key_is_free_again(paid, stripe_double, alice):
    stripe_double.refusal = error(401, "invalid_request_error", "Invalid API Key provided", code="api_key_expired")
    with pytest.raises(PaymentsMisconfigured):
        give_back(700)
    assert (statuses(), account_of(alice).reserved_micros()) == (["refused"], 0)


@pytest.mark.parametrize("seconds", [0, -200], ids=["", "and its clock is behind ours"])
def test_a_lost_answer_is_found_by_reconciliation(lost, stripe_double, balance, seconds):
    stripe_double.refunded(ours(TopUp).get().payment, 100)  # somebody else's, and newer
    next(iter(stripe_double.refunds.values()))["created"] += seconds
    report = reconcile_payments(now=timezone.now() + timedelta(minutes=1), days=1)
    (line,) = [each for each in report.lines if each.title == "refunds asked for"]
    assert (line.looked_at, line.put_right) == (1, 1)
    assert (report.left, balance(), statuses()) == ([], "4.00", ["made"])


def test_of_what_is_asked_for_at_this_moment_nobody_asks_what_became_of_it(lost):
    report = reconcile_payments(now=ours(RefundRequest).get().asked_at + timedelta(seconds=1), days=1)
    assert {line.title: line.looked_at for line in report.lines}["refunds asked for"] == 0


def test_what_never_reached_stripe_is_free_again_after_an_hour(paid, stripe_double, balance, alice):
    stripe_double.fail_next(Fault.DROP, Fault.DROP)
    with pytest.raises(PaymentsUnavailable):
        give_back(1500)
    asked = ours(RefundRequest).get().asked_at
    for wait in (timedelta(minutes=1), timedelta(hours=1)):
        reconcile_payments(now=asked + wait, days=1)
        assert statuses() == ["pending"]
    reconcile_payments(now=asked + timedelta(hours=1, seconds=1), days=1)
    assert (statuses(), balance(), stripe_double.books) == (["refused"], "20.00", [2000])


def test_what_is_asked_for_again_in_vain_stays_reserved(lost, stripe_double, alice):
    stripe_double.fail_next(Fault.DROP, Fault.DROP)
    with pytest.raises(PaymentsUnavailable):
        give_back(1500)
    assert (statuses(), account_of(alice).reserved_micros()) == (["pending"], 15_000_000)


def test_what_was_asked_for_again_meanwhile_is_not_given_up(paid, stripe_double):
    stripe_double.fail_next(*[Fault.DROP] * 4)
    for _ in range(2):
        as_it_was = ours(RefundRequest).first()
        with pytest.raises(PaymentsUnavailable):
            give_back(1500)
    assert not finish_request(as_it_was, now=timezone.now() + timedelta(minutes=61))
    assert statuses() == ["pending"]


def test_of_two_that_were_asked_for_at_one_moment_one_is_given_up(lost, stripe_double):
    stripe_double.fail_next(Fault.DROP, Fault.DROP)
    with pytest.raises(PaymentsUnavailable):
        give_back(300, key="another")
    ours(RefundRequest).update(asked_at=timezone.now())
    assert finish_request(RefundRequest.objects.get(pk="another"), now=timezone.now() + timedelta(minutes=61))
    assert dict(ours(RefundRequest).values_list("pk", "status")) == {"k": "pending", "another": "refused"}


def test_what_was_refused_and_is_asked_for_again_is_reserved_again(paid, stripe_double, alice):
    stripe_double.fail_next(Answer(400, REFUSED), Fault.DROP, Fault.DROP)
    for refusal in (RefundRefused, PaymentsUnavailable):
        with pytest.raises(refusal):
            give_back(1500)
    assert (statuses(), account_of(alice).reserved_micros()) == (["pending"], 15_000_000)


def test_what_was_made_stays_so_though_stripe_refuses_to_make_it_again(paid, stripe_double, entries):
    give_back(700)
    stripe_double.fail_next(Answer(400, REFUSED))
    with pytest.raises(RefundRefused):
        give_back(700)
    assert (statuses(), entries()) == (["made"], [("top_up", 2000), ("refund", -700)])


def test_what_was_refused_and_is_sent_again_finds_only_what_is_free_by_now(paid, stripe_double, alice):
    stripe_double.fail_next(Answer(400, REFUSED))
    with pytest.raises(RefundRefused):
        give_back(1500)
    post_entry(account=account_of(alice), kind="call", amount_micros=-15_000_000, reference="twilio:CA0", memo="")
    with pytest.raises(ValidationError, match=r"up to \$5\.00"):
        give_back(1500)
    assert (stripe_double.books, statuses()) == ([2000], ["refused"])


def test_the_form_of_one_payment_gives_back_nothing_of_another(paid, api, alice, stripe_double):
    api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    first, second = ours(TopUp).order_by("created_at")
    give_back(700, top_up=first)
    for top_up, cents in ((second, 700), (first, 800)):
        with pytest.raises(ValidationError, match="was sent before"):
            give_back(cents, top_up=top_up)
    assert stripe_double.books == [1300, 2000]


def test_what_came_back_is_given_back_again(paid, tell, stripe_double, balance):
    made = give_back(2000)
    tell("refund.failed", stripe_double.refund_becomes(made.id, "failed"))
    assert balance() == "20.00"
    give_back(2000, key="another")
    assert (balance(), statuses()) == ("0.00", ["made", "made"])


def test_of_a_payment_that_brought_nothing_nothing_goes_back(paid, api, alice, stripe_double):
    replace_default(user=alice, source="tok_chargeCustomerFail")
    api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    with pytest.raises(ValidationError, match="brought no money"):
        give_back(700, top_up=TopUp.objects.get(status="refused"))
    assert (stripe_double.books, statuses()) == ([2000], [])


def test_two_refunds_under_way_are_no_more_than_their_payment_brought(lost, api, alice, stripe_double):
    api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    with pytest.raises(ValidationError, match="Another refund of this payment is under way"):
        give_back(501, key="another")
    assert (stripe_double.books, statuses()) == ([500, 2000], ["pending"])
    give_back(500, key="another")
    assert (stripe_double.books, sorted(statuses())) == ([0, 2000], ["made", "pending"])


def test_one_that_stripe_refuses_leaves_another_one_reserved(lost, stripe_double):
    stripe_double.fail_next(Answer(400, REFUSED))
    with pytest.raises(RefundRefused):
        give_back(300, key="another")
    assert dict(ours(RefundRequest).values_list("pk", "status")) == {"k": "pending", "another": "refused"}


def test_more_than_a_payment_brought_is_refused_by_stripe(paid, api, alice, stripe_double):
    api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    with pytest.raises(RefundRefused):
        give_back(2500)
    assert stripe_double.books == [2000, 2000]


def test_what_was_refused_is_not_under_way(paid, api, alice, stripe_double):
    stripe_double.fail_next(Answer(400, REFUSED))
    with pytest.raises(RefundRefused):
        give_back(2000)
    give_back(2000, key="another")
    assert (stripe_double.books, sorted(statuses())) == ([0], ["made", "refused"])


def test_taking_money_by_hand_leaves_what_is_going_back(lost, alice):
    with pytest.raises(MoneyReserved):
        adjust(account=account_of(alice), amount_micros=-5_010_000, reference="adjustment:1", memo="")
    taken = [
        adjust(account=account_of(alice), amount_micros=-5_000_000, reference="adjustment:2", memo="") for _ in range(2)
    ]
    assert (taken[0], account_of(alice).balance_micros()) == (taken[1], 15_000_000)


def test_where_nothing_goes_back_a_balance_may_be_taken_below_zero_and_brought_nearer_to_it(alice):
    for amount, number in ((-10_000_000, 1), (4_000_000, 2)):
        adjust(account=account_of(alice), amount_micros=amount, reference=f"adjustment:{number}", memo="")
    assert account_of(alice).balance_micros() == -6_000_000


def test_money_may_be_added_while_some_is_going_back(lost, alice):
    post_entry(account=alice.account, kind="dispute", amount_micros=-20_000_000, reference="stripe:du_1", memo="")
    adjust(account=alice.account, amount_micros=1_000_000, reference="adjustment:1", memo="")
    assert alice.account.balance_micros() == 1_000_000


def test_setting_a_balance_leaves_what_is_going_back(lost, api, alice):
    answer = api.put(f"/api/users/{alice.pk}/accountBalance", {"accountBalance": 14})
    assert (answer.status_code, answer.json()["code"]) == (409, "money_reserved")


def test_money_that_is_going_back_carries_no_call(lost, group, settings):
    settings.MIN_CALL_BALANCE = 10_000_000
    with pytest.raises(RefusedCallError, match="not enough credit"):
        start_call(params={"to": str(group.pk), "From": "client:x", "CallSid": "CA1"})


def test_what_running_legs_hold_does_not_go_back(paid, alice, stripe_double):
    Call.objects.create(sid="CA1", payer=account_of(alice), created_at=timezone.now())
    with pytest.raises(ValidationError, match=r"up to \$19\.94"):
        give_back(1995)
    give_back(1994)
    assert stripe_double.books == [6]


# --- At the same moment ---------------------------------------------------------------------------------------------

together = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two_payments(on_postgresql, paid, api, alice):
    """$20 twice, of which $20 is talked away."""
    api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    post_entry(account=alice.account, kind="call", amount_micros=-20_000_000, reference="twilio:CA0", memo="")
    return list(ours(TopUp).order_by("created_at"))


def tries(work, refused):
    def attempt():
        try:
            work()
        except (ValidationError, MoneyReserved, RefusedCallError) as error:
            refused.append(type(error).__name__)

    return attempt


@together
def test_of_two_operators_who_give_back_two_payments_one_is_refused(two_payments, stripe_double, balance):
    one, other = two_payments
    refused = []
    at_once(
        tries(lambda: give_back(2000, "k1", one), refused),
        tries(lambda: give_back(2000, "k2", other), refused),
    )
    assert (refused, balance(), sum(stripe_double.books)) == (["ValidationError"], "0.00", 2000)


@together
def test_an_adjustment_downward_comes_before_a_refund_that_it_leaves_no_money_for(two_payments, balance, alice):
    refused = []
    at_once(
        lambda: adjust(account=alice.account, amount_micros=-10_000_000, reference="adjustment:1", memo=""),
        tries(lambda: give_back(2000, "k1", two_payments[0]), refused),
    )
    assert (refused, balance()) == (["ValidationError"], "10.00")


@together
def test_of_a_refund_and_a_call_that_starts_one_gets_the_money(two_payments, group, settings, balance, stripe_double):
    settings.MIN_CALL_BALANCE = 500_000
    refused = []
    at_once(
        tries(lambda: start_call(params={"to": str(group.pk), "From": "client:x", "CallSid": "CA1"}), refused),
        tries(lambda: give_back(2000, "k1", two_payments[0]), refused),
    )
    assert (refused, balance(), sum(stripe_double.books)) == (["ValidationError"], "20.00", 4000)


@together
def test_while_a_dispute_takes_the_money_no_refund_does(two_payments, tell, stripe_double, balance):
    from billing.disputes import apply_dispute
    from billing.gateway.interface import DisputeReport

    refused = []
    report = DisputeReport("du_1", two_payments[0].payment, 2000, "needs_response", 2000, 0)
    at_once(lambda: apply_dispute(report), tries(lambda: give_back(2000, "k1", two_payments[1]), refused))
    assert (refused, balance(), sum(stripe_double.books)) == (["ValidationError"], "0.00", 4000)
