from datetime import timedelta

import pytest
from django.utils import timezone

from billing import top_ups
from billing.cards import replace_default
from billing.gateway.interface import CardDeclined, Payment, PaymentsUnavailable, payments
from billing.ledger import account_of, post_entry
from billing.models import LedgerEntry, TopUp
from billing.top_ups import add_money
from tests.neighbours import ours


@pytest.fixture
def pay(api, alice):
    """Adds money to Alice's balance; she has a card that works."""
    replace_default(user=alice, source="tok_visa")

    def pay(amount, key=None):
        headers = {"Idempotency-Key": key} if key else {}
        return api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": amount}, headers=headers)

    return pay


@pytest.mark.parametrize(
    ("amount", "balance"),
    [(20, 20), ("20", 20), (37.5, 37.5), ("0001.10", 1.1), (1, 1), ("500.00", 500), (19.99, 19.99)],
)
def test_the_money_is_on_the_balance(pay, api, alice, amount, balance):
    assert pay(amount).json() == {"updatedAccountBalance": balance}
    assert api.get(f"/api/users/{alice.pk}/accountBalance").json() == {"accountBalance": f"{balance:.2f}"}


def test_a_part_of_a_cent_that_was_there_is_not_shown_as_one(pay, alice):
    entry = {"kind": LedgerEntry.Kind.ADJUSTMENT, "reference": "a:1", "memo": ""}
    post_entry(account=account_of(alice), amount_micros=9_999, **entry)
    assert pay(20).json() == {"updatedAccountBalance": 20}


def test_many_small_amounts_add_up_exactly(pay):
    for _ in range(9):
        pay("1.10")
    assert pay("1.10").json() == {"updatedAccountBalance": 11}


def test_a_second_purchase_without_a_key_is_a_second_purchase(pay):
    pay(20)
    assert pay(20).json() == {"updatedAccountBalance": 40}


@pytest.mark.parametrize("source", ["tok_visa", "tok_chargeCustomerFail"])
def test_of_a_payment_that_has_ended_stripe_is_asked_no_more(stripe_payments, stripe_double, alice, source):
    replace_default(user=alice, source=source)
    first = add_money(user=alice, amount_cents=2000, key="k")
    asked = len(stripe_double.requests)
    assert add_money(user=alice, amount_cents=2000, key="k") == first
    assert len(stripe_double.requests) == asked


def test_each_payment_is_one_entry_that_names_it(pay):
    pay(20)
    entry = ours(LedgerEntry).get()
    assert (entry.amount_micros, entry.balance_after_micros) == (20_000_000, 20_000_000)
    assert entry.reference == f"stripe:{ours(TopUp).get().payment}"


@pytest.mark.parametrize("amount", [0, "0.99", -5, 500.01, "999999999999", 10**20, 0.01])
def test_an_amount_outside_the_range_is_told_to_the_person(pay, amount):
    answer = pay(amount)
    assert answer.status_code == 200
    assert answer.json() == {"errorMessage": "Choose an amount from $1.00 to $500.00."}
    assert not ours(TopUp).exists()


@pytest.mark.parametrize(
    "amount", ["abc", "", None, True, 1.005, "1.999", "1e2", " 5", "5 ", "+5", [5], {"a": 5}, "NaN", "٥", "9" * 5000]
)
def test_what_is_no_amount_is_refused(pay, amount):
    assert pay(amount).status_code == 400


@pytest.mark.parametrize(
    "number",
    [
        "1e400",
        "NaN",
        "Infinity",
        "-Infinity",
        "1" + "0" * 5000,
        "0.1e-400",
        "1e999999999999999999",
        "1e-999999999999999999",
    ],
)
def test_numbers_that_json_can_write_but_nobody_can_pay_are_refused(api, alice, number):
    body = f'{{"userId": {alice.pk}, "amountToAdd": {number}}}'
    answer = api.generic("POST", "/api/billing/addMoney", body, content_type="application/json")
    assert answer.status_code == 400


def test_without_a_card_the_person_is_told_so(api, alice):
    answer = api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    assert (answer.status_code, answer.json()) == (200, {"errorMessage": "There is no card on file. Add one first."})


def test_a_declined_card_adds_nothing(pay, api, alice):
    replace_default(user=alice, source="tok_chargeCustomerFail")
    assert pay(20).json() == {"errorMessage": "Your card was declined."}
    assert api.get(f"/api/users/{alice.pk}").json()["accountBalance"] == "0.00"


def test_after_a_declined_card_another_one_works(pay, alice):
    replace_default(user=alice, source="tok_chargeCustomerFail")
    pay(20)
    replace_default(user=alice, source="tok_mastercard")
    assert pay(20).json() == {"updatedAccountBalance": 20}


def test_a_card_that_needs_consent_says_how_to_get_it(pay, alice):
    replace_default(user=alice, source="pm_card_authenticationRequired")
    answer = pay(20).json()
    assert set(answer) == {"errorMessage", "clientSecret"}
    assert ours(TopUp).get().status == TopUp.Status.CONSENT


def test_a_payment_that_waits_for_consent_gives_way_to_the_next(pay, alice):
    replace_default(user=alice, source="pm_card_authenticationRequired")
    pay(20)
    replace_default(user=alice, source="tok_visa")
    assert pay(30).json() == {"updatedAccountBalance": 30}
    assert sorted(ours(TopUp).values_list("status", flat=True)) == ["refused", "succeeded"]


def test_the_same_key_gives_the_same_answer_for_ever(pay):
    first = pay(20, key="k1").json()
    pay(5)
    assert pay(20, key="k1").json() == first == {"updatedAccountBalance": 20}
    assert ours(LedgerEntry).count() == 2


def test_a_refusal_is_repeated_under_its_key_too(pay, alice):
    replace_default(user=alice, source="tok_chargeCustomerFail")
    first = pay(20, key="k1").json()
    replace_default(user=alice, source="tok_visa")
    assert pay(20, key="k1").json() == first


def test_a_key_with_another_amount_is_refused(pay):
    pay(20, key="k1")
    answer = pay(21, key="k1")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_two_people_may_use_the_same_key(pay, api, bob):
    pay(20, key="k1")
    replace_default(user=bob, source="tok_visa")
    answer = api.post("/api/billing/addMoney", {"userId": bob.pk, "amountToAdd": 30}, headers={"Idempotency-Key": "k1"})
    assert answer.json() == {"updatedAccountBalance": 30}


@pytest.mark.parametrize("key", [" ", "k" * 256, "with space", "é"])
def test_a_key_that_is_none_is_refused(pay, key):
    assert pay(20, key=key).status_code == 400


@pytest.fixture
def left_pending(alice, pay):
    """A payment of $20 whose request died; whether it is still at work is told by `seconds`."""

    def leave(seconds, **fields):
        pay(1)  # opens the account
        return TopUp.objects.create(
            account=alice.account,
            customer=alice.stripe_id,
            amount_cents=2000,
            in_flight_until=timezone.now() + timedelta(seconds=seconds),
            **fields,
        )

    return leave


def test_a_payment_under_way_refuses_a_second_one(pay, left_pending):
    left_pending(seconds=10)
    answer = pay(20)
    assert (answer.status_code, answer.json()["code"]) == (409, "payment_in_progress")
    assert answer["Retry-After"]


def test_anothers_payment_under_way_stands_in_nobodys_way(pay, left_pending, bob):
    TopUp.objects.filter(pk=left_pending(seconds=10).pk).update(account=account_of(bob))
    assert pay(20).json() == {"updatedAccountBalance": 21}


def test_while_one_left_behind_is_finished_another_is_refused(pay, left_pending, monkeypatch):
    left_pending(seconds=-1)
    answers = []

    def meanwhile(point):
        if point == "after_topup_row":
            monkeypatch.undo()
            answers.append(pay(5))

    monkeypatch.setattr(top_ups, "failpoint", meanwhile)
    assert pay(20).json() == {"updatedAccountBalance": 21}
    assert answers[0].status_code == 409


def test_one_that_comes_before_the_first_is_wholly_done_is_refused(pay, monkeypatch):
    answers = []

    def meanwhile(point):
        if point == "after_post":
            monkeypatch.undo()
            answers.append(pay(5))

    monkeypatch.setattr(top_ups, "failpoint", meanwhile)
    assert pay(20).json() == {"updatedAccountBalance": 20}
    assert answers[0].status_code == 409


def test_it_is_left_behind_from_the_moment_on_at_which_nobody_works_on_it(left_pending):
    left = left_pending(seconds=10)
    for now, is_free in ((left.in_flight_until - timedelta(microseconds=1), False), (left.in_flight_until, True)):
        assert top_ups.claim_top_up(left, now=now) is is_free


@pytest.mark.parametrize(("status", "answered"), [("pending", 409), ("consent", 200)])
def test_one_that_ends_by_the_webhook_between_a_request_and_its_turn_was_under_way_unless_it_waited_for_consent(
    pay, left_pending, monkeypatch, status, answered
):
    ends = Payment("pi_1", 2000, "usd", "canceled", top_up=str(left_pending(seconds=-1, status=status).pk))

    def meanwhile(point):
        if point == "before_topup_row":
            monkeypatch.undo()
            top_ups.apply_payment(ends)

    monkeypatch.setattr(top_ups, "failpoint", meanwhile)
    assert pay(20).status_code == answered


@pytest.mark.parametrize(("error", "answered"), [(CardDeclined, 200), (PaymentsUnavailable, 503)])
def test_a_refusal_that_comes_when_the_money_has_come_changes_nothing(pay, monkeypatch, error, answered):
    real = type(payments()).charge

    def charge(self, **asked):
        top_ups.apply_payment(real(self, **asked))  # as the webhook, which is faster than the answer
        raise error

    monkeypatch.setattr(type(payments()), "charge", charge)
    assert pay(20).status_code == answered
    top_up = ours(TopUp).get()
    assert (top_up.status, ours(LedgerEntry).count()) == ("succeeded", 1)
    assert top_up.in_flight_until  # so that who asked meanwhile is refused


def test_one_left_behind_that_has_ended_meanwhile_is_not_tried_again(left_pending):
    as_it_was = left_pending(seconds=-1)
    TopUp.objects.filter(pk=as_it_was.pk).update(status="refused", message="Your card was declined.")
    top_ups.finish_left(as_it_was, now=timezone.now())
    assert TopUp.objects.get(pk=as_it_was.pk).message == "Your card was declined."
    assert ours(LedgerEntry).count() == 1


def test_a_payment_that_was_left_behind_is_finished_by_the_next_request_not_paid_twice(pay, left_pending):
    left_pending(seconds=-1)
    assert pay(20).json() == {"updatedAccountBalance": 21}
    assert ours(LedgerEntry).count() == 2


def test_another_amount_is_paid_after_the_one_left_behind(pay, left_pending):
    left_pending(seconds=-1)
    assert pay(5).json() == {"updatedAccountBalance": 26}


def test_one_left_behind_is_no_answer_to_a_request_with_a_key_of_its_own(pay, left_pending):
    left_pending(seconds=-1)
    assert pay(20, key="k1").json() == {"updatedAccountBalance": 41}
    assert TopUp.objects.get(key="k1").status == TopUp.Status.SUCCEEDED


def test_one_left_behind_with_this_key_is_its_answer(pay, left_pending):
    left_pending(seconds=-1, key="k1")
    assert pay(20, key="k1").json() == {"updatedAccountBalance": 21}


def test_one_left_behind_by_another_card_is_no_answer_to_this(pay, left_pending):
    left_pending(seconds=-1, source="tok_mastercard")
    assert pay(20).json() == {"updatedAccountBalance": 41}


def test_a_payment_left_behind_a_while_ago_is_finished(pay, left_pending):
    left_pending(seconds=-1, created_at=timezone.now() - timedelta(minutes=9))
    assert pay(5).json() == {"updatedAccountBalance": 26}


def test_a_payment_left_behind_for_long_is_not_charged_any_more(pay, left_pending):
    old = left_pending(seconds=-1, created_at=timezone.now() - timedelta(minutes=11))
    assert pay(5).json() == {"updatedAccountBalance": 6}
    old.refresh_from_db()
    assert old.status == TopUp.Status.REFUSED


def test_nobody_is_404(api, db):
    assert api.post("/api/billing/addMoney", {"userId": 999, "amountToAdd": 20}).status_code == 404
