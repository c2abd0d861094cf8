"""`manage.py reconcile_payments`: what was left undone is done, and what is not as it is at Stripe is shown."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing import top_ups
from billing.audit import comparison
from billing.audit.reconciliation import reconcile_payments
from billing.audit.report import Line, shortened
from billing.cards import replace_default
from billing.disputes import has_open_dispute
from billing.gateway.interface import PaymentsUnavailable
from billing.ledger import post_entry
from billing.models import LedgerEntry, RefundRequest, StripeEvent, TopUp
from billing.top_ups import EXPIRED, IN_FLIGHT
from tests.doubles.server import Fault
from tests.doubles.stripe import event
from tests.neighbours import ours

WITHDRAWN = "charge.dispute.funds_withdrawn"
LOST = (None, None, Fault.LOSE_ANSWER, Fault.LOSE_ANSWER)  # the first two read the default card
DROPPED = (None, None, Fault.DROP, Fault.DROP)


@pytest.fixture
def run(capsys, db):
    """Runs the command: the three figures of each line by its title, and what is left."""

    def run(**options):
        try:
            call_command("reconcile_payments", **options)
            left = ""
        except CommandError as error:
            left = str(error)
        rows = [line.split() for line in capsys.readouterr().out.splitlines()]
        return {" ".join(row[:-3]): [int(each) for each in row[-3:]] for row in rows if row[-1].isdigit()}, left

    return run


@pytest.fixture
def pay(stripe_payments, stripe_double, api, alice):
    """Adds $20 to Alice's balance, with a card of this kind, while Stripe's next answers fail so."""

    def pay(*faults, card="tok_visa"):
        replace_default(user=alice, source=card)
        stripe_double.fail_next(*faults)
        return api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})

    return pay


def test_where_all_is_in_order_it_says_so_and_changes_nothing(run, paid, entries, alice, stripe_double):
    post_entry(account=alice.account, kind="call", amount_micros=-10_000, reference="twilio:CA1", memo="")
    found, left = run()
    assert (found["payments at Stripe"], found["entries in the ledger"]) == ([1, 0, 0], [1, 0, 0])
    assert (left, entries()) == ("", [("top_up", 2000), ("call", -1)])
    assert stripe_double.sent("GET", f"/v1/payment_intents/{paid}") == []  # it was listed


def test_what_is_done_is_not_done_again(run, paid, tell, stripe_double):
    tell("refund.created", stripe_double.refunded(paid, 100))
    dispute = stripe_double.disputed(paid)
    tell(WITHDRAWN, dispute)
    tell("charge.dispute.closed", stripe_double.dispute_ends(dispute["id"], "lost"))
    ours(TopUp).update(created_at=timezone.now() - timedelta(days=2))
    top_up = ours(TopUp).get()
    for status in ("made", "refused"):
        asked = {"key": status, "account": top_up.account, "top_up": top_up, "amount_cents": 100, "status": status}
        RefundRequest.objects.create(**asked, asked_at=timezone.now() - timedelta(days=1))
    found, left = run()
    lines = ("payments left pending", "payments without consent for a day", "webhook events not applied")
    assert [found[each] for each in (*lines, "refunds asked for", "disputes that are open")] == [[0, 0, 0]] * 5
    assert left == ""


# --- What was left undone -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("faults", [LOST, DROPPED])
def test_a_payment_left_pending_is_finished_once(run, pay, stripe_double, balance, faults):
    pay(*faults)
    found, left = run()
    assert (found["payments left pending"], left) == ([1, 1, 0], "")
    assert (stripe_double.books, balance()) == ([2000], "20.00")
    assert run()[0]["payments left pending"] == [0, 0, 0]


def test_a_payment_that_somebody_works_on_is_let_be(run, pay, stripe_double):
    pay(*DROPPED)
    ours(TopUp).update(in_flight_until=timezone.now() + IN_FLIGHT)
    assert run()[0]["payments left pending"] == [0, 0, 0]
    assert stripe_double.books == []


def test_however_long_a_run_takes_what_it_works_on_is_under_way_from_then_on(pay, monkeypatch):
    """Or the person's own request would work on it beside."""
    pay(*DROPPED)
    marked = []
    monkeypatch.setattr(top_ups, "failpoint", lambda _: marked.append(ours(TopUp).get().in_flight_until))
    reconcile_payments(now=timezone.now() - timedelta(minutes=5), days=1)
    assert marked[0] > timezone.now()


def test_failures_of_stripes_that_are_not_in_a_row_stop_no_run():
    def fail():
        raise PaymentsUnavailable

    line = Line("payments left pending")
    for work in (fail, fail, bool, fail, fail, bool):
        line.attempt("a top-up", work)
    assert [each.rpartition(":")[2] for each in line.left if "not tried" in each] == []
    for work in (fail, fail, fail, bool):
        line.attempt("a top-up", work)
    assert [each for each in line.left if "not tried" in each] == ["a top-up: not tried, for Stripe does not answer"]


def test_what_the_time_does_not_suffice_for_is_said_and_not_begun(past_deadline):
    line, begun = Line("payments left pending"), []
    assert not line.attempt("a top-up", lambda: begun.append(1))
    assert (line.left, begun) == (["a top-up: not tried, for the run's time was over"], [])


@pytest.mark.parametrize(("count", "shown"), [(2, ["0", "1"]), (3, ["0", "1", "and 1 more"])])
def test_of_many_so_many_are_shown_and_the_others_counted(count, shown):
    assert shortened([str(number) for number in range(count)], most=2) == shown


def test_nobody_is_charged_for_a_payment_of_long_ago(run, pay, stripe_double):
    pay(*DROPPED)
    ours(TopUp).update(created_at=timezone.now() - timedelta(hours=1))
    assert run()[1] == ""
    assert (stripe_double.books, ours(TopUp).get().message) == ([], EXPIRED)


def test_somebody_who_is_gone_is_not_charged(run, pay, stripe_double, alice):
    pay(*DROPPED)
    alice.delete()
    assert run()[1] == ""
    assert (stripe_double.books, ours(TopUp).get().status) == ([], "refused")


def test_what_somebody_paid_before_they_went_is_on_their_account(run, pay, entries, alice):
    pay(*LOST)
    alice.delete()
    found, left = run()
    assert (found["payments left pending"], found["payments at Stripe"], left) == ([1, 1, 0], [1, 0, 0], "")
    assert entries() == [("top_up", 2000)]


def test_one_left_by_a_card_that_is_gone_is_refused_and_told_nobody(run, pay, stripe_double, alice):
    pay(*DROPPED)
    ours(TopUp).update(source="pm_unknown", card="")
    found, left = run()
    assert (found["payments left pending"], left, ours(TopUp).get().status) == ([1, 1, 0], "", "refused")


@pytest.fixture
def waiting(pay):
    """A payment that waits for its owner's consent since the day before yesterday."""
    pay(card="pm_card_authenticationRequired")
    ours(TopUp).update(created_at=timezone.now() - timedelta(days=2))
    return ours(TopUp).get().payment


def test_a_payment_that_waits_for_consent_too_long_is_cancelled(run, waiting, stripe_double):
    found, left = run()
    assert (found["payments without consent for a day"], left) == ([1, 1, 0], "")
    assert (stripe_double.intents[waiting]["status"], ours(TopUp).get().status) == ("canceled", "refused")


def test_one_that_got_its_consent_is_posted(run, waiting, stripe_double, balance):
    stripe_double.consent(waiting)
    assert run()[1] == ""
    assert balance() == "20.00"


def test_one_that_stripe_does_not_know_stands_in_nobodys_way(run, waiting, stripe_double):
    stripe_double.intents.clear()
    assert run()[1] == ""
    assert ours(TopUp).get().status == "refused"


def test_a_fresh_one_is_let_be(run, waiting):
    ours(TopUp).update(created_at=timezone.now())
    assert run()[0]["payments without consent for a day"] == [0, 0, 0]


def test_an_event_that_could_not_be_applied_is(run, send, paid, stripe_double, entries):
    stripe_double.refunded(paid, 500)
    stripe_double.fail_next(Fault.DROP, Fault.DROP)
    send(event("charge.refunded", stripe_double._charge_of(paid)))
    found, left = run()
    assert (found["webhook events not applied"], left) == ([1, 1, 0], "")
    assert entries() == [("top_up", 2000), ("refund", -500)]
    assert ours(StripeEvent).get().applied_at


# --- What no webhook told -------------------------------------------------------------------------------------------


def test_a_payment_that_we_have_not_heard_of_is_posted(run, pay, stripe_double, balance):
    pay(card="pm_card_authenticationRequired")
    stripe_double.consent(ours(TopUp).get().payment)
    found, left = run()
    assert (found["payments at Stripe"], left, balance()) == ([1, 1, 0], "", "20.00")


def test_refunds_are_posted_and_come_back(run, paid, stripe_double, entries):
    made = stripe_double.refunded(paid, 500)
    assert run()[0]["refunds at Stripe"] == [1, 1, 0]
    stripe_double.refund_becomes(made["id"], "failed")
    assert run()[0]["refunds at Stripe"] == [1, 1, 0]
    assert run()[0]["refunds at Stripe"] == [1, 0, 0]
    assert entries() == [("top_up", 2000), ("refund", -500), ("refund", 500)]


def test_disputes_are_posted_and_followed(run, paid, stripe_double, entries, alice):
    dispute = stripe_double.disputed(paid)
    assert run()[0]["disputes at Stripe"] == [1, 1, 0]
    assert has_open_dispute(alice.account)
    assert run()[0]["disputes that are open"] == [1, 0, 0]
    stripe_double.dispute_ends(dispute["id"], "won")
    assert run()[0]["disputes that are open"] == [1, 1, 0]
    assert not has_open_dispute(alice.account)
    assert entries() == [("top_up", 2000), ("dispute", -2000), ("dispute_won", 2000)]


def test_a_dispute_of_long_ago_is_followed_to_its_end(run, paid, tell, stripe_double, alice):
    dispute = stripe_double.disputed(paid)
    tell(WITHDRAWN, dispute)
    stripe_double.dispute_ends(dispute["id"], "lost")["created"] -= 60 * 24 * 3600
    assert run()[1] == ""
    assert not has_open_dispute(alice.account)


# --- What is different ----------------------------------------------------------------------------------------------


def post(account, kind, reference):
    micros = -5_000_000 if kind == "dispute" else 5_000_000
    post_entry(account=account, kind=kind, amount_micros=micros, reference=reference, memo="")


@pytest.mark.parametrize(
    ("kind", "name"), [("top_up", "pi_x"), ("refund", "re_x"), ("refund", "re_x:failed"), ("dispute", "du_x")]
)
def test_an_entry_that_stripe_knows_nothing_of_is_left(run, paid, alice, kind, name):
    post(alice.account, kind, f"stripe:{name}")
    found, left = run()
    assert found["entries in the ledger"] == [2, 0, 1]
    shown = "-5.00" if kind == "dispute" else "5.00"
    assert f"stripe:{name}: the ledger has {shown}, Stripe nothing" in left


def test_an_entry_of_a_payment_that_did_not_succeed_is_left(run, paid, stripe_double):
    stripe_double.intents[paid]["status"] = "processing"
    assert f"stripe:{paid}: the ledger has 20.00, Stripe nothing" in run()[1]


def test_another_amount_is_left(run, paid, stripe_double):
    stripe_double.intents[paid]["amount_received"] = 3000
    found, left = run()
    assert found["payments at Stripe"] == [1, 0, 1]
    assert f"stripe:{paid}: the ledger has 20.00, Stripe 30.00" in left


def test_a_payment_that_lost_its_mark_at_stripe_is_ours_by_its_id(run, paid, stripe_double, entries):
    stripe_double.intents[paid]["metadata"] = {}
    stripe_double.refunded(paid, 300)
    found, left = run()
    assert (found["payments at Stripe"], found["refunds at Stripe"], left) == ([1, 0, 0], [1, 1, 0], "")
    assert entries() == [("top_up", 2000), ("refund", -300)]


def test_money_of_nobody_is_left(run, paid, stripe_double):
    stripe_double.intents[paid]["metadata"]["topUp"] = "gone"
    stripe_double.intents["pi_nobody"] = {**stripe_double.intents[paid], "id": "pi_nobody"}
    assert "stripe:pi_nobody: the ledger has nothing, Stripe 20.00" in run()[1]


def of_long_ago(double, name):
    double.intents[name]["created"] -= 8 * 24 * 3600


def unknown(double, name):
    del double.intents[name]


def of_a_charge_alone(double, name):
    for thing in (*double.refunds.values(), *double.disputes.values()):
        thing["payment_intent"] = None


@pytest.mark.parametrize(
    ("change", "count"),
    [(None, 3), (of_long_ago, 2), (unknown, 2), (of_a_charge_alone, 3)],
    ids=["listed", "of long ago", "unknown", "of a charge alone"],
)
def test_payments_that_are_not_ours_are_counted_and_no_difference(capsys, paid, stripe_double, alice, change, count):
    stripe_double.charged_before(alice.stripe_id, cents=900)
    foreign = next(name for name in stripe_double.intents if name != paid)
    stripe_double.refunded(foreign, 100)
    stripe_double.disputed(foreign)
    if change:
        change(stripe_double, foreign)
    asked = len(stripe_double.sent("GET", "/v1/payment_intents/.*"))
    call_command("reconcile_payments")
    assert capsys.readouterr().out.endswith(f"{count} at Stripe are not ours\n")
    told = len(stripe_double.sent("GET", "/v1/payment_intents/.*")) - asked
    assert told == (1 if change in (of_long_ago, unknown) else 0)  # each payment once


def test_a_refund_of_a_payment_of_long_ago_that_was_given_up_brings_the_payment(run, pay, stripe_double, entries):
    pay(*LOST)
    ours(TopUp).update(status="refused")
    (payment,) = stripe_double.intents
    of_long_ago(stripe_double, payment)
    stripe_double.refunded(payment, 300)
    assert run()[1] == ""
    assert entries() == [("top_up", 2000), ("refund", -300)]


def test_a_refund_of_a_payment_of_long_ago_that_lost_its_mark_is_ours(run, paid, stripe_double, entries):
    stripe_double.intents[paid]["metadata"] = {}
    of_long_ago(stripe_double, paid)
    stripe_double.refunded(paid, 300)
    assert run()[0]["refunds at Stripe"] == [1, 1, 0]
    assert entries() == [("top_up", 2000), ("refund", -300)]


def test_not_all_that_stripe_did_not_list_is_asked_about_at_once(run, paid, alice, monkeypatch):
    monkeypatch.setattr(comparison, "MOST_ASKED", 2)
    for number in range(3):
        post(alice.account, "refund", f"stripe:re_{number}")
    found, left = run()
    assert found["entries in the ledger"] == [4, 0, 3]
    assert "1 more that Stripe did not list, and was not asked about" in left
    assert ("stripe:re_1" in left, "stripe:re_2" in left) == (True, False)  # the newest is the one for the next run


# --- The edges of the period ----------------------------------------------------------------------------------------


def test_what_stripe_counts_to_an_earlier_time_is_asked_about(run, paid, tell, stripe_double):
    refund, dispute = stripe_double.refunded(paid, 500), stripe_double.disputed(paid)
    tell("refund.created", stripe_double.refund_becomes(refund["id"], "failed"))
    tell(WITHDRAWN, dispute)
    for thing in (stripe_double.intents[paid], refund, dispute):
        thing["created"] -= 8 * 24 * 3600
    found, left = run()
    assert (found["payments at Stripe"], found["entries in the ledger"], left) == ([0, 0, 0], [4, 0, 0], "")


def test_what_we_count_to_an_earlier_time_is_found(paid, stripe_double):
    stripe_double.intents[paid]["created"] += 60
    report = reconcile_payments(now=timezone.now() + timedelta(days=7, seconds=1), days=7)
    lines = {line.title: line.looked_at for line in report.lines}
    assert (lines["payments at Stripe"], lines["entries in the ledger"], report.left) == (1, 0, [])


def test_the_period_begins_with_its_first_moment(paid):
    report = reconcile_payments(now=ours(LedgerEntry).get().created_at + timedelta(days=7), days=7)
    assert {line.title: line.looked_at for line in report.lines}["entries in the ledger"] == 1


# --- Stripe down, the sandbox, and neither --------------------------------------------------------------------------


def test_while_stripe_does_not_answer_it_says_so_and_loses_nothing(run, pay, stripe_double, balance):
    pay(*LOST)
    stripe_double.fail_next(*[Fault.DROP] * 50)
    found, left = run()
    assert (found["payments left pending"], found["entries in the ledger"]) == ([1, 0, 1], [0, 0, 1])
    assert "does not answer" in left
    stripe_double.faults.clear()
    assert run()[1] == ""
    assert (stripe_double.books, balance()) == ([2000], "20.00")


def test_half_a_list_is_not_compared(run, paid, stripe_double):
    stripe_double.fail_next(None, Fault.DROP, Fault.DROP)
    found, left = run()
    assert found["entries in the ledger"] == [1, 0, 1]
    assert "did not list all" in left


def test_it_works_in_the_sandbox(run, sandbox_payments, api, alice):
    replace_default(user=alice, source="tok_visa")
    api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    sandbox_payments.create_refund(payment=ours(TopUp).get().payment, amount_cents=500, key="k")
    found, left = run()
    assert (found["payments at Stripe"], found["refunds at Stripe"], left) == ([1, 0, 0], [1, 1, 0], "")
    assert ours(LedgerEntry).count() == 2
    post(alice.account, "dispute", "stripe:du_x")
    assert "stripe:du_x" in run()[1]


def test_of_what_real_payments_have_left_unread_nothing_follows_in_the_sandbox(run, sandbox_payments):
    StripeEvent.objects.create(id="unreadable_1", type="not an event", payload={"length": 3})
    assert [run()[0]["webhook events not applied"] for _ in range(2)] == [[1, 1, 0], [0, 0, 0]]


def test_switched_off_it_says_so_and_touches_nothing(run, pay, settings):
    pay(*DROPPED)
    before = ours(TopUp).values().get()
    settings.PAYMENTS = {}
    assert "SK_TEST" in run()[1]
    assert ours(TopUp).values().get() == before
