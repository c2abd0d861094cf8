"""What was just done stands on the form, and the same once more is asked about: Back and again does nothing twice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing.models import LedgerEntry, RefundRequest
from tests.admin.conftest import read_form, text

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
    assert (stripe_double.books, RefundRequest.objects.count()) == ([1950], 1)
    path = f"{ACCOUNTS}/{account.pk}/refund/"
    browser.post(path, {**read_form(page), "top_up": opened["top_up"], "once_more": "on"})
    assert stripe_double.books == [1900]


def test_back_and_again_adjusts_nothing_twice(send, browser, account):
    send("adjust", **ADJUSTED)
    assert "adjusted by $0.50 less than a minute ago by #" in text(browser.get(f"{ACCOUNTS}/{account.pk}/adjust/"))
    page = send("adjust", **ADJUSTED)
    assert ("tick the box" in text(page), 'type="checkbox"' in text(page)) == (True, True)
    assert LedgerEntry.objects.count() == 1
    browser.post(f"{ACCOUNTS}/{account.pk}/adjust/", {**read_form(page), "once_more": "on"})
    assert LedgerEntry.objects.count() == 2


def test_another_amount_and_a_later_one_are_not_asked_about(send, account, monkeypatch):
    send("adjust", **ADJUSTED)
    assert "Adjusted by $0.60" in text(send("adjust", amount="0.60", reason="Sorry"))
    later = timezone.now() + timedelta(minutes=11)
    monkeypatch.setattr("billing.admin.forms.timezone.now", lambda: later)
    assert "Adjusted by $0.50" in text(send("adjust", **ADJUSTED))


def test_a_refund_of_another_amount_is_not_asked_about(send, opened, stripe_double):
    send("refund", top_up=opened["top_up"], amount="0.50")
    send("refund", top_up=opened["top_up"], amount="0.60")
    assert stripe_double.books == [1890]
