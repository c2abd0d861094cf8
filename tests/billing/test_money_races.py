"""Two that move the same money at the same moment: the second begins while the first is not yet committed."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connections
from django.utils import timezone
from rest_framework.test import APIClient

from billing import cards, models, webhook
from billing.audit.invariants import check_ledger
from billing.audit.reconciliation import reconcile_payments
from billing.disputes import apply_dispute
from billing.gateway.interface import DeletedCustomer, DisputeReport, Payment, PaymentMethod, payments
from billing.ledger import account_of, lock_account, post_entry, set_balance
from billing.models import Account, LedgerEntry, StripeEvent, TopUp
from billing.refunds import refund
from billing.top_ups import begin, claim_top_up, finish_left, settle
from tests.billing.conftest import PATH
from tests.doubles.server import Fault
from tests.doubles.stripe import event, signature
from tests.neighbours import ours
from tests.voice.conferences.test_event_races import at_once
from users.models import Erasure, User
from users.services import delete_row
from voice.credit.prices import post_price
from voice.models import Call

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _sound_at_the_end(on_postgresql, transactional_db):
    yield
    assert [each for each in check_ledger(now=timezone.now()) if each.wrong] == []


@pytest.fixture
def told(stripe_payments):
    """What the server does once an event of Stripe's is proved; each call makes another event."""

    def told(kind, thing):
        made = payments().event_from_payload(json.loads(event(kind, thing)))
        return lambda: webhook.receive(made)

    return told


@pytest.fixture
def pay(stripe_payments, stripe_double, alice):
    """Alice adds $20 under a key. With `lost` Stripe is paid, and its answers are lost."""
    cards.replace_default(user=alice, source="tok_visa")

    def pay(*, lost=False):
        stripe_double.fail_next(*[None, None, Fault.LOSE_ANSWER, Fault.LOSE_ANSWER] * lost)
        body, headers = {"userId": alice.pk, "amountToAdd": 20}, {"Idempotency-Key": "k1"}
        return APIClient().post("/api/billing/addMoney", body, format="json", headers=headers)

    return pay


@pytest.fixture
def unheard(pay, stripe_double):
    """A payment whose answer was lost, as Stripe has it; its TopUp is pending."""
    pay(lost=True)
    return next(iter(stripe_double.intents.values()))


def post(account, micros, reference):
    kind = LedgerEntry.Kind.ADJUSTMENT
    post_entry(account=account, kind=kind, amount_micros=micros, reference=reference, memo="")


# --- Postings -------------------------------------------------------------------------------------------------------


def test_two_postings_add_up(alice):
    account = account_of(alice)
    at_once(lambda: post(account, 5, "a"), lambda: post(account, 7, "b"))
    assert account.balance_micros() == 12


def test_one_thing_is_posted_once(alice):
    account = account_of(alice)
    at_once(lambda: post(account, 5, "a"), lambda: post(account, 5, "a"))
    assert account.balance_micros() == 5


def test_a_balance_that_is_set_while_money_comes_is_the_one_that_was_wished(alice):
    account = account_of(alice)
    at_once(lambda: post(account, 20, "a"), lambda: set_balance(user=alice, balance_micros=5, memo=""))
    assert account.balance_micros() == 5


def test_money_that_comes_while_a_balance_is_set_is_added(alice):
    account = account_of(alice)
    at_once(lambda: set_balance(user=alice, balance_micros=5, memo=""), lambda: post(account, 20, "a"))
    assert account.balance_micros() == 25


def test_a_person_has_one_account(alice):
    at_once(lambda: account_of(alice), lambda: account_of(User.objects.get(pk=alice.pk)))
    assert ours(Account).count() == 1


# --- Payments -------------------------------------------------------------------------------------------------------


def test_two_deliveries_of_one_event_post_one_payment(told, unheard, entries):
    deliver = told("payment_intent.succeeded", unheard)
    at_once(deliver, deliver)
    assert entries() == [("top_up", 2000)]


def test_two_deliveries_of_an_event_that_waits_apply_it_once(told, unheard, entries, monkeypatch):
    applied = []
    deliver = told("payment_intent.succeeded", unheard)
    deliver()
    ours(StripeEvent).update(applied_at=None)
    monkeypatch.setitem(webhook.FOLLOWED, Payment, applied.append)
    at_once(deliver, deliver)
    assert len(applied) == 1


def test_two_events_of_one_payment_post_one_payment(told, unheard, entries):
    at_once(told("payment_intent.succeeded", unheard), told("payment_intent.succeeded", unheard))
    assert entries() == [("top_up", 2000)]


def test_six_deliveries_at_once_are_all_answered(unheard, entries):
    body = event("payment_intent.succeeded", unheard)

    def deliver(_):
        try:
            headers = {"Stripe-Signature": signature(body)}
            answer = APIClient().generic("POST", PATH, body, content_type="application/json", headers=headers)
            return answer.status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(deliver, range(6))) == {204}
    assert entries() == [("top_up", 2000)]


def test_a_webhook_and_the_next_request_finish_a_payment_once(told, pay, unheard, stripe_double, entries):
    answers = []
    at_once(told("payment_intent.succeeded", unheard), lambda: answers.append(pay().json()))
    assert answers == [{"updatedAccountBalance": 20}]
    assert (stripe_double.books, entries()) == ([2000], [("top_up", 2000)])


def test_a_request_and_the_webhook_finish_a_payment_once(told, unheard, entries):
    top_up, paid = ours(TopUp).get(), payments().retrieve_payment(payment=unheard["id"])
    at_once(lambda: settle(top_up, paid), told("payment_intent.succeeded", unheard))
    assert entries() == [("top_up", 2000)]


# --- Who finishes a payment -----------------------------------------------------------------------------------------


@pytest.fixture
def left(unheard):
    return ours(TopUp).select_related("account__user").get()


@pytest.fixture
def wins(left):
    """Who gets to work on the payment: those who try keep what came of it."""
    wins = []

    def by_command():
        wins.append(claim_top_up(ours(TopUp).get(), now=timezone.now()))

    def by_request():
        try:
            now = timezone.now()
            begin(left.account, left.customer, 2000, "", "k1", lambda: None, now=now, came_at=now)
            wins.append(True)
        except Exception as refused:
            wins.append(type(refused).__name__)

    wins.append((by_command, by_request))
    return wins


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [(0, 0, [True, False]), (1, 0, [True, False]), (0, 1, [True, "PaymentInProgress"])],
    ids=["two commands", "request, command", "command, request"],
)
def test_only_one_gets_to_finish_a_payment(wins, first, second, outcome):
    ways = wins.pop()
    at_once(ways[first], ways[second])
    assert wins == outcome


def test_two_runs_of_the_command_ask_stripe_once_for_each_payment(left, stripe_double, entries):
    stripe_double.requests.clear()
    at_once(lambda: claim_top_up(left, now=timezone.now()), lambda: finish_left(left, now=timezone.now()))
    assert stripe_double.requests == []


def test_two_runs_of_the_command_post_everything_once(paid, stripe_double, entries):
    stripe_double.refunded(paid, 300)
    stripe_double.disputed(paid)
    at_once(
        lambda: reconcile_payments(now=timezone.now(), days=7),
        lambda: reconcile_payments(now=timezone.now(), days=7),
    )
    assert entries() == [("top_up", 2000), ("refund", -300), ("dispute", -2000)]


# --- Refunds and disputes -------------------------------------------------------------------------------------------


def test_two_events_of_one_refund_post_it_once(told, paid, stripe_double, entries):
    made = stripe_double.refunded(paid, 500)
    at_once(told("refund.created", made), told("refund.updated", made))
    assert entries() == [("top_up", 2000), ("refund", -500)]


def test_a_refund_that_fails_while_it_is_posted_comes_back_once(told, paid, stripe_double, balance):
    made = stripe_double.refunded(paid, 500)
    created = told("refund.created", made)
    failed = told("refund.failed", stripe_double.refund_becomes(made["id"], "failed"))
    at_once(failed, created)
    assert balance() == "20.00"


def test_an_operators_refund_and_its_webhook_post_it_once(told, paid, stripe_double, entries):
    def stripe_tells():
        told("refund.created", next(iter(stripe_double.refunds.values())))()

    at_once(lambda: refund(top_up=ours(TopUp).get(), amount_cents=500, key="k"), stripe_tells)
    assert entries() == [("top_up", 2000), ("refund", -500)]


def test_two_events_of_one_dispute_post_it_once(told, paid, stripe_double, entries):
    made = stripe_double.disputed(paid)
    at_once(told("charge.dispute.created", made), told("charge.dispute.funds_withdrawn", made))
    assert entries() == [("top_up", 2000), ("dispute", -2000)]


def test_a_dispute_that_ends_while_it_is_noted_stays_ended(paid, alice):
    opened = DisputeReport("du_1", paid, 2000, "needs_response", 2000, 0)
    lost = DisputeReport("du_1", paid, 2000, "lost", 2000, 0)
    apply_dispute(opened)
    at_once(lambda: apply_dispute(lost), lambda: apply_dispute(opened))
    assert ours(models.Dispute).get().settled


# --- Calls ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second"), [(-17_000, -17_000), (-17_000, -20_000), (-20_000, -17_000)])
def test_two_prices_of_one_call_cost_what_the_later_one_says(alice, first, second):
    ended = {"duration": 61, "end_time": timezone.now()}
    call = Call.objects.create(sid="CA1", payer=account_of(alice), **ended)
    at_once(
        lambda: post_price(call, first, now=timezone.now()),
        lambda: post_price(call, second, now=timezone.now()),
    )
    assert alice.account.balance_micros() == second - 2 * 1_800


# --- People who go --------------------------------------------------------------------------------------------------


@pytest.fixture
def goes(alice):
    return lambda: delete_row(ours(User).all(), alice.pk)


def test_somebody_who_goes_while_money_is_posted_leaves_it_on_the_account(goes, alice):
    account = account_of(alice)
    at_once(lambda: post(account, 5, "a"), goes)
    account.refresh_from_db()
    assert (account.user, account.balance_micros()) == (None, 5)


def test_money_that_is_posted_while_somebody_goes_is_on_the_account(goes, alice):
    account = account_of(alice)
    at_once(goes, lambda: post(account, 5, "a"))
    account.refresh_from_db()
    assert (account.user, account.balance_micros()) == (None, 5)


def test_whoever_goes_waits_for_the_account_and_holds_nothing_that_a_posting_needs(goes, alice):
    account = account_of(alice)
    at_once(lambda: lock_account(account), goes, then=lambda: post(account, 5, "a"))
    assert account.balance_micros() == 5


def test_of_two_who_delete_somebody_at_once_one_does_and_the_other_finds_nobody(alice):
    statuses = []

    def delete():
        statuses.append(APIClient().delete(f"/api/users/{alice.pk}").status_code)

    at_once(delete, delete)
    assert statuses == [200, 404]
    assert ours(Erasure).count() == 1


def test_a_customer_that_is_gone_is_forgotten_once(alice):
    User.objects.filter(pk=alice.pk).update(stripe_id="cus_1", last4="4242")
    forget = partial(cards.forget_customer, DeletedCustomer("cus_1"))
    at_once(forget, forget)
    assert ours(models.FormerCustomer).count() == 1


def test_a_new_customer_that_is_opened_while_the_old_one_is_forgotten_stays(alice):
    User.objects.filter(pk=alice.pk).update(stripe_id="cus_1")
    new = User.objects.filter(pk=alice.pk)
    at_once(lambda: new.update(stripe_id="cus_2"), lambda: cards.forget_customer(DeletedCustomer("cus_1")))
    assert new.get().stripe_id == "cus_2"


# --- Cards ----------------------------------------------------------------------------------------------------------


def test_of_two_that_become_the_default_card_at_once_the_later_is(alice):
    visa, amex = PaymentMethod("pm_1", "visa", "4242", 12, 2034), PaymentMethod("pm_2", "amex", "8431", 12, 2034)
    at_once(lambda: cards.keep(alice, visa, default=visa), lambda: cards.keep(alice, amex, default=amex))
    assert dict(ours(models.Card).values_list("last4", "is_default")) == {"4242": False, "8431": True}
    assert User.objects.get(pk=alice.pk).last4 == "8431"
