"""The refund form on an account's page: money goes back through Stripe, once."""

import pytest

from billing.ledger import account_of, post_entry
from billing.models import TopUp
from tests.admin.conftest import history, read_form, text
from tests.doubles.server import Answer, Fault
from tests.doubles.stripe_objects import error
from tests.neighbours import ours
from users.models import User

ACCOUNTS = "/admin/billing/account"


@pytest.fixture
def refund(browser, account, opened):
    """Sends the form that was opened, each time the same one."""
    return lambda **written: browser.post(f"{ACCOUNTS}/{account.pk}/refund/", {**opened, **written}, follow=True)


def test_money_goes_back_through_stripe(refund, stripe_double, balance, entries):
    page = text(refund(amount="7"))
    assert (stripe_double.books, balance()) == ([1300], "13.00")
    assert entries() == [("top_up", 2000), ("refund", -700)]
    assert "Gave back $7.00" in page


def test_the_webhook_adds_nothing(refund, tell, stripe_double, entries):
    refund(amount="7")
    (made,) = stripe_double.refunds.values()
    tell("refund.created", made)
    assert entries() == [("top_up", 2000), ("refund", -700)]


def test_who_gave_back_stands_in_the_history(refund, paid):
    refund(amount="7")
    ((who, words),) = history()
    assert who == "root@example.com"
    assert words.startswith(f"Asked for $7.00 of {paid} to be given back")


def test_a_refund_that_is_sent_twice_gives_back_once(refund, stripe_double, entries):
    for _ in range(2):
        refund(amount="7")
    assert (stripe_double.books, entries()) == ([1300], [("top_up", 2000), ("refund", -700)])
    assert len(history()) == 1


def test_a_refund_that_comes_back_with_another_amount_gives_back_nothing_more(refund, stripe_double, entries):
    refund(amount="7")
    assert 'class="errorlist' in text(refund(amount="5"))
    assert (stripe_double.books, entries()) == ([1300], [("top_up", 2000), ("refund", -700)])


def test_the_sandbox_says_what_counted(browser, sandbox_payments, api, alice):
    api.post(
        "/api/billing/createCharge", {"userStripeId": stripe_id(alice), "sourceId": "tok_visa", "amountToAdd": 2000}
    )
    path = f"{ACCOUNTS}/{alice.account.pk}/refund/"
    opened = {**browser.form(path), "top_up": ours(TopUp).get().pk}
    assert "Gave back $7.00" in text(browser.post(path, {**opened, "amount": "7"}, follow=True))
    assert "This form was sent before" in text(browser.post(path, {**opened, "amount": "5"}, follow=True))


def stripe_id(user):
    User.objects.filter(pk=user.pk).update(stripe_id="cus_alice")
    return "cus_alice"


@pytest.mark.parametrize("faults", [[Fault.DROP] * 2, [Fault.LOSE_ANSWER] * 2, [Fault.SERVER_ERROR] * 2])
def test_while_stripe_does_not_answer_only_the_same_can_be_sent_again(refund, opened, stripe_double, faults, entries):
    stripe_double.fail_next(*faults)
    page = refund(amount="7")
    assert "does not answer. Nothing is lost and nothing is charged twice: try again." in text(page)
    assert read_form(page) == {**opened, "top_up": read_form(page)["top_up"], "amount": "7"}
    assert (text(page).count("<option"), text(page).count("readonly")) == (1, 1)
    assert entries() == [("top_up", 2000)]


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.LOSE_ANSWER])
def test_sent_again_it_gives_back_once(refund, stripe_double, entries, fault):
    stripe_double.fail_next(fault, fault)
    refund(amount="7")
    assert "Gave back $7.00" in text(refund(amount="7"))
    assert (stripe_double.books, entries()) == ([1300], [("top_up", 2000), ("refund", -700)])
    assert len(history()) == 1


def test_all_that_is_there_is_sent_again_and_goes_back_once(refund, stripe_double):
    """What it asked for is reserved: nothing is free any more, and this is no other refund."""
    stripe_double.fail_next(Fault.DROP, Fault.DROP)
    refund(amount="20")
    assert "Gave back $20.00" in text(refund(amount="20"))
    assert stripe_double.books == [0]


def test_of_several_payments_only_the_one_can_be_sent_again(refund, api, alice, stripe_double):
    api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 30})
    stripe_double.fail_next(Fault.DROP, Fault.DROP)
    page = text(refund(amount="7"))
    assert (page.count("<option"), "$20.00 by pi_" in page) == (1, True)


def test_what_was_refused_is_asked_anew_and_finds_what_is_free(refund, account, stripe_double):
    stripe_double.fail_next(error(400, "invalid_request_error", "It is disputed", code="charge_disputed"))
    refund(amount="7")
    post_entry(account=account, kind="call", amount_micros=-15_000_000, reference="twilio:CA1", memo="")
    assert "which is $5.00 now" in text(refund(amount="7"))
    assert stripe_double.books == [2000]


def test_an_answer_that_is_lost_for_good_comes_by_the_webhook(refund, tell, stripe_double, entries):
    stripe_double.fail_next(Fault.LOSE_ANSWER, Fault.LOSE_ANSWER)
    refund(amount="7")
    (made,) = stripe_double.refunds.values()
    tell("refund.created", made)
    assert (entries(), len(history())) == ([("top_up", 2000), ("refund", -700)], 1)


def test_what_stripe_refuses_is_told_and_changes_nothing(refund, stripe_double, paid, entries):
    stripe_double.refunded(paid, 1500)
    page = refund(amount="7")
    assert "Stripe does not give back so much" in text(page)
    assert (read_form(page)["amount"], entries()) == ("7", [("top_up", 2000)])


def test_what_the_card_does_not_take_comes_back(refund, stripe_double, paid, balance):
    stripe_double.fail_next(Answer(200, stripe_double.refunded(paid, 700, status="failed")))
    assert "the money came back to the balance" in text(refund(amount="7"))
    assert (stripe_double.books, balance()) == ([2000], "20.00")


def test_where_payments_are_off_the_form_says_so(refund, settings):
    settings.PAYMENTS = {}
    page = text(refund(amount="7"))
    assert ("Payments are switched off" in page, "readonly" in page) == (True, False)


def test_what_stripe_refuses_the_operators_reserves_nothing_and_the_form_stays_open(
    refund, browser, account, stripe_double
):
    stripe_double.fail_next(error(401, "invalid_request_error", "Expired API key", code="api_key_expired"))
    page = refund(amount="7")
    assert ("The operators have been told." in text(page), "readonly" in text(page)) == (True, False)
    assert "was refused: open it again" in text(refund(amount="20"))
    opened = browser.form(f"{ACCOUNTS}/{account.pk}/refund/")
    assert "Gave back $20.00" in text(refund(amount="20", key=opened["key"]))


@pytest.mark.parametrize("amount", ["", "0", "-1", "0.001", "x", "NaN", "20.01", "10000000"])
def test_no_more_than_was_paid_and_is_left_goes_back(refund, stripe_double, amount):
    assert 'class="errorlist"' in text(refund(amount=amount))
    assert (stripe_double.books, history()) == ([2000], [])


def test_what_was_talked_away_does_not_go_back(refund, account, stripe_double):
    post_entry(account=account, kind="call", amount_micros=-15_020_600, reference="twilio:CA1", memo="")
    assert "which is $4.9794 now" in text(refund(amount="4.98"))
    assert stripe_double.books == [2000]
    assert "Gave back $4.97" in text(refund(amount="4.97"))


def test_a_payment_gives_back_no_more_than_it_brought(refund, account, stripe_double):
    post_entry(account=account, kind="adjustment", amount_micros=50_000_000, reference="adjustment:1", memo="")
    assert "No more than this payment can go back: $20.00." in text(refund(amount="20.01"))
    assert stripe_double.books == [2000]


def test_only_payments_that_succeeded_are_offered(browser, account, opened):
    TopUp.objects.create(account=account, customer="cus_1", amount_cents=900, status="refused", payment="pi_refused")
    page = text(browser.get(f"{ACCOUNTS}/{account.pk}/refund/"))
    assert (page.count("<option"), "$20.00 by pi_" in page, "pi_refused" in page) == (2, True, False)


def test_another_persons_payment_is_not_given_back(browser, opened, bob, stripe_double):
    path = f"{ACCOUNTS}/{account_of(bob).pk}/refund/"
    post_entry(account=bob.account, kind="adjustment", amount_micros=50_000_000, reference="adjustment:1", memo="")
    assert 'class="errorlist"' in text(browser.post(path, {**opened, "amount": "7"}))
    assert stripe_double.books == [2000]


def test_what_a_deleted_person_left_goes_back_to_their_card(browser, opened, account, alice, stripe_double, entries):
    alice.delete()
    path = f"{ACCOUNTS}/{account.pk}/refund/"
    assert "deleted person" in text(browser.get(path))
    assert "Gave back $20.00" in text(browser.post(path, {**opened, "amount": "20"}, follow=True))
    assert (stripe_double.books, entries()) == ([0], [("top_up", 2000), ("refund", -2000)])
    assert not browser.get(f"{ACCOUNTS}/?person=refund").context["cl"].result_count
