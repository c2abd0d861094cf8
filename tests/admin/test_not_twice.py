"""What was just done stands on the form, and the same once more is asked about: Back and again does nothing twice."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connections
from django.utils import timezone

from billing.ledger import account_of, post_entry
from billing.models import LedgerEntry, RefundRequest, TopUp
from tests.admin.conftest import Browser, read_form, text
from tests.doubles.stripe_objects import error
from tests.neighbours import ours
from users.models import User

ACCOUNTS = "/admin/billing/account"


@pytest.fixture
def send(browser, account):
    """Opens a form anew, as a browser does that goes back, and sends what was written there."""

    def sent(name, **written):
        path = f"{ACCOUNTS}/{account.pk}/{name}/"
        return browser.post(path, {**browser.form(path), **written}, follow=True)

    return sent


ADJUSTED = {"amount": "0.50", "reason": "Sorry"}


def test_back_and_again_gives_nothing_back_twice(send, browser, account, opened, stripe_double):
    send("refund", top_up=opened["top_up"], amount="0.50")
    form = text(browser.get(f"{ACCOUNTS}/{account.pk}/refund/"))
    assert "$0.50 of " in form
    assert "was given back less than a minute ago by #" in form
    assert "root@example.com" in form
    page = send("refund", top_up=opened["top_up"], amount="0.50")
    assert "Is it to be done once more? Then tick the box." in text(page)
    assert (stripe_double.books, ours(RefundRequest).count()) == ([1950], 1)
    path = f"{ACCOUNTS}/{account.pk}/refund/"
    browser.post(path, {**read_form(page), "top_up": opened["top_up"], "once_more": "on"})
    assert stripe_double.books == [1900]


def test_back_and_again_adjusts_nothing_twice(send, browser, account):
    send("adjust", **ADJUSTED)
    assert "adjusted by $0.50 less than a minute ago by #" in text(browser.get(f"{ACCOUNTS}/{account.pk}/adjust/"))
    page = send("adjust", **ADJUSTED)
    assert ("tick the box" in text(page), 'type="checkbox"' in text(page)) == (True, True)
    assert ours(LedgerEntry).count() == 1
    browser.post(f"{ACCOUNTS}/{account.pk}/adjust/", {**read_form(page), "once_more": "on"})
    assert ours(LedgerEntry).count() == 2


def test_another_amount_and_a_later_one_are_not_asked_about(send, account, monkeypatch):
    send("adjust", **ADJUSTED)
    assert "Adjusted by $0.60" in text(send("adjust", amount="0.60", reason="Sorry"))
    later = timezone.now() + timedelta(minutes=11)
    monkeypatch.setattr("billing.admin.forms.timezone.now", lambda: later)
    assert "Adjusted by $0.50" in text(send("adjust", **ADJUSTED))


def test_a_refund_of_another_amount_and_a_later_one_are_not_asked_about(send, opened, stripe_double, monkeypatch):
    send("refund", top_up=opened["top_up"], amount="0.50")
    send("refund", top_up=opened["top_up"], amount="0.60")
    assert stripe_double.books == [1890]
    later = timezone.now() + timedelta(minutes=11)
    monkeypatch.setattr("billing.admin.forms.timezone.now", lambda: later)
    send("refund", top_up=opened["top_up"], amount="0.50")
    assert stripe_double.books == [1840]


@pytest.fixture
def ruth(db):
    """Another operator."""
    browser = Browser()
    browser.force_login(User.objects.create_superuser("ruth@example.com", display_name="Ruth"))
    return browser


@pytest.fixture
def send_both(browser, ruth, account, monkeypatch):
    """Two operators, each with a form of their own, which they send at the same moment: neither sees the other's
    before their own is about to count."""

    def sent(name, **written):
        path, ready = f"{ACCOUNTS}/{account.pk}/{name}/", Barrier(2)
        forms = [(each, {**each.form(path), **written}) for each in (browser, ruth)]
        monkeypatch.setattr("billing.admin.actions.failpoint", lambda _: ready.wait(timeout=30))

        def send(form):
            try:
                return text(form[0].post(path, form[1], follow=True))
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            return [*pool.map(send, forms)]

    return sent


@pytest.mark.django_db(transaction=True)
def test_of_two_operators_who_adjust_the_same_at_once_one_is_asked(on_postgresql, send_both, account):
    pages = send_both("adjust", **ADJUSTED)
    assert sorted("Then tick the box" in page for page in pages) == [False, True]
    assert [entry.amount_micros for entry in ours(LedgerEntry).all()] == [500_000]


@pytest.mark.django_db(transaction=True)
def test_of_two_operators_who_give_back_the_same_at_once_one_is_asked(on_postgresql, opened, send_both, stripe_double):
    pages = send_both("refund", top_up=opened["top_up"], amount="0.50")
    assert sorted("Then tick the box" in page for page in pages) == [False, True]
    assert (stripe_double.books, ours(RefundRequest).count()) == ([1950], 1)
    assert LogEntry.objects.filter(change_message__contains="to be given back").count() == 1


def told(browser, account, name):
    """What a form says that was just done, in a few words."""
    page = text(browser.get(f"{ACCOUNTS}/{account.pk}/{name}/"))
    said = re.findall(r"(\$[0-9.]+) [^<>$]*less than a minute ago by #\d+ \W*(\w+)@", page)
    assert len(said) == page.count("less than a minute ago")
    return said


def test_a_form_tells_the_newest_first_and_who_did_it(send, browser, ruth, account, opened):
    path = f"{ACCOUNTS}/{account.pk}/adjust/"
    send("adjust", **ADJUSTED)
    ruth.post(path, {**ruth.form(path), "amount": "0.60", "reason": "Sorry"})
    assert told(browser, account, "adjust") == [("$0.60", "ruth"), ("$0.50", "root")]
    for amount in ("0.30", "0.40"):
        send("refund", top_up=opened["top_up"], amount=amount)
    assert told(browser, account, "refund") == [("$0.40", "root"), ("$0.30", "root")]


def test_a_form_tells_nothing_that_was_done_to_somebody_else(send, browser, account, opened, bob):
    send("refund", top_up=opened["top_up"], amount="0.50")
    send("adjust", **ADJUSTED)
    other = account_of(bob)
    assert (told(browser, other, "refund"), told(browser, other, "adjust")) == ([], [])


def test_money_that_came_otherwise_is_not_asked_about(send, account):
    post_entry(account=account, kind="top_up", amount_micros=500_000, reference="stripe:pi_2", memo="")
    assert "Adjusted by $0.50" in text(send("adjust", **ADJUSTED))


def test_a_refund_that_was_refused_is_not_asked_about(send, browser, account, opened, stripe_double):
    stripe_double.fail_next(error(400, "invalid_request_error", "It is disputed", code="charge_disputed"))
    send("refund", top_up=opened["top_up"], amount="0.50")
    assert (stripe_double.books, told(browser, account, "refund")) == ([2000], [])
    send("refund", top_up=opened["top_up"], amount="0.50")
    assert stripe_double.books == [1950]


def test_the_same_of_another_payment_is_not_asked_about(send, opened, api, alice, stripe_double):
    send("refund", top_up=opened["top_up"], amount="0.50")
    api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    other = ours(TopUp).exclude(pk=opened["top_up"]).get()
    send("refund", top_up=other.pk, amount="0.50")
    assert sorted(stripe_double.books) == [1950, 1950]
