"""The two forms on an account's page, who may send them, and what an adjustment does."""

import re

import pytest
from django.contrib.auth.models import Permission

from billing.ledger import account_of
from billing.models import LedgerEntry
from tests.admin.conftest import Browser, history, read_form, text
from tests.neighbours import ours

ACCOUNTS = "/admin/billing/account"


@pytest.fixture
def adjust(browser, account):
    """Opens the form and sends it."""
    path = f"{ACCOUNTS}/{account.pk}/adjust/"
    return lambda **written: browser.post(path, {**browser.form(path), **written}, follow=True)


# Adjusting


@pytest.mark.parametrize(("amount", "micros"), [("5", 5_000_000), ("-2.50", -2_500_000), ("0.01", 10_000)])
def test_an_adjustment_is_posted_with_its_reason(adjust, amount, micros):
    page = text(adjust(amount=amount, reason="A call that broke off"))
    entry = ours(LedgerEntry).get()
    assert (entry.kind, entry.amount_micros, entry.memo) == ("adjustment", micros, "A call that broke off")
    assert re.fullmatch("adjustment:[0-9a-f-]{36}", entry.reference)
    assert "Adjusted by " in page


def test_the_person_reads_the_reason_in_their_statement(adjust, api, alice):
    adjust(amount="5", reason="A call that broke off")
    (line,) = api.get(f"/api/users/{alice.pk}/statement").json()
    assert (line["memo"], line["amount"], line["kind"]) == ("A call that broke off", "5.00", "adjustment")


def test_a_part_of_a_debt_can_be_made_good(adjust, account):
    adjust(amount="-5", reason="Counted too little")
    adjust(amount="2", reason="Half of it was ours")
    assert [entry.balance_after_micros for entry in ours(LedgerEntry).order_by("id")] == [-5_000_000, -3_000_000]


def test_who_adjusted_stands_in_the_history(adjust, browser, account):
    adjust(amount="5", reason="A call that broke off")
    entry = ours(LedgerEntry).get()
    assert history() == [
        ("root@example.com", f"Adjusted the balance by $5.00: A call that broke off ({entry.reference})")
    ]
    assert "A call that broke off" in text(browser.get(f"{ACCOUNTS}/{account.pk}/history/"))


def test_each_adjustment_has_its_line(adjust):
    for amount in ("5", "6"):
        adjust(amount=amount, reason="A call that broke off")
    assert [words.partition(":")[0] for _, words in history()] == [
        "Adjusted the balance by $6.00",
        "Adjusted the balance by $5.00",
    ]


def test_what_somebody_left_who_is_gone_is_adjusted_too(adjust, account, alice):
    alice.delete()
    assert "Adjusted by $5.00" in text(adjust(amount="5", reason="What was left"))


def test_a_form_that_is_sent_twice_posts_once(adjust, browser, account):
    key = browser.form(f"{ACCOUNTS}/{account.pk}/adjust/")["key"]
    for _ in range(2):
        assert "Adjusted by $5.00. The balance is $5.00." in text(adjust(amount="5", reason="Sorry", key=key))
    assert (ours(LedgerEntry).count(), len(history())) == (1, 1)


@pytest.mark.parametrize("changed", [{"amount": "7"}, {"reason": "Very sorry"}])
def test_a_form_that_comes_back_with_something_else_posts_nothing_and_says_so(adjust, browser, account, changed):
    key = browser.form(f"{ACCOUNTS}/{account.pk}/adjust/")["key"]
    adjust(amount="5", reason="Sorry", key=key)
    assert "This form was sent before" in text(adjust(**{"amount": "5", "reason": "Sorry", "key": key, **changed}))
    assert (ours(LedgerEntry).count(), len(history())) == (1, 1)


def test_a_form_of_another_account_counts_for_none(adjust, browser, account, bob):
    key = browser.form(f"{ACCOUNTS}/{account.pk}/adjust/")["key"]
    adjust(amount="5", reason="Sorry", key=key)
    path = f"{ACCOUNTS}/{account_of(bob).pk}/adjust/"
    assert "This form was sent before" in text(browser.post(path, {"amount": "5", "reason": "Sorry", "key": key}))


@pytest.mark.parametrize("amount", ["", "0", "0.00", "-0", "x", "1.001", "NaN", "Infinity", "10000000", "1e9"])
def test_another_amount_is_refused_and_nothing_written_is_lost(adjust, amount):
    page = adjust(amount=amount, reason="Sorry")
    assert 'class="errorlist"' in text(page)
    assert (read_form(page)["amount"], read_form(page)["reason"]) == (amount, "Sorry")
    assert not ours(LedgerEntry).exists()


@pytest.mark.parametrize("reason", ["", "   ", "\u200b", "\u3164", "x" * 256, "a\x00b"])
def test_a_reason_is_demanded(adjust, reason):
    assert 'class="errorlist"' in text(adjust(amount="5", reason=reason))
    assert (ours(LedgerEntry).count(), history()) == (0, [])


@pytest.mark.parametrize("key", ["", "x", "1f0c:1w:x"])
def test_a_key_that_is_not_ours_counts_for_nothing(adjust, key):
    assert "opened too long ago" in text(adjust(amount="5", reason="Sorry", key=key))
    assert not ours(LedgerEntry).exists()


@pytest.mark.parametrize(("hours", "counts"), [(11, True), (13, False), (24, False)])
def test_a_form_is_good_for_half_a_day(adjust, browser, account, signing_clock, hours, counts):
    """After a whole one Stripe has forgotten the key of a refund."""
    signing_clock(-hours)
    key = browser.form(f"{ACCOUNTS}/{account.pk}/adjust/")["key"]
    signing_clock(0)
    assert ("opened too long ago" not in text(adjust(amount="5", reason="Sorry", key=key))) == counts
    assert ours(LedgerEntry).exists() == counts


# Who may

FORMS = pytest.mark.parametrize("name", ["adjust", "refund"])
WRITTEN = {"amount": "5", "reason": "Sorry"}


@FORMS
def test_a_form_is_for_operators(client, account, name):
    path = f"{ACCOUNTS}/{account.pk}/{name}/"
    assert client.post(path, WRITTEN)["Location"] == f"/admin/login/?next={path}"


@FORMS
def test_a_form_is_not_for_staff_without_the_permission(helper, account, bob, name):
    bob.user_permissions.add(*Permission.objects.filter(codename__in=["view_account", "change_ledgerentry"]))
    path = f"{ACCOUNTS}/{account.pk}"
    assert (helper.get(f"{path}/{name}/").status_code, helper.post(f"{path}/{name}/", WRITTEN).status_code) == (
        403,
        403,
    )
    page = helper.get(f"{path}/change/")
    assert (page.status_code, f"/{name}/" in text(page)) == (200, False)


def test_staff_with_the_permission_adjust(helper, account, bob):
    bob.user_permissions.add(Permission.objects.get(codename="change_account"))
    path = f"{ACCOUNTS}/{account.pk}/adjust/"
    assert path in text(helper.get(f"{ACCOUNTS}/{account.pk}/change/"))
    assert "Adjusted by $5.00" in text(helper.post(path, {**helper.form(path), **WRITTEN}, follow=True))
    assert history()[0][0] == "bob@example.com"


@FORMS
def test_a_form_of_another_site_is_refused(root, account, opened, name, stripe_double):
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(root)
    answer = browser.post(f"{ACCOUNTS}/{account.pk}/{name}/", {**opened, **WRITTEN})
    assert (answer.status_code, ours(LedgerEntry).count(), stripe_double.books) == (403, 1, [2000])


@FORMS
@pytest.mark.parametrize("account_id", [999, 10**20])
def test_an_account_that_is_not_there_has_no_form(browser, name, account_id):
    assert browser.get(f"{ACCOUNTS}/{account_id}/{name}/").status_code == 404


@FORMS
def test_to_look_at_a_form_does_nothing(browser, account, opened, name):
    assert browser.get(f"{ACCOUNTS}/{account.pk}/{name}/", {**opened, **WRITTEN}).status_code == 200
    assert (ours(LedgerEntry).count(), history()) == (1, [])


def test_an_account_without_money_has_nothing_to_give_back(browser, account):
    page = text(browser.get(f"{ACCOUNTS}/{account.pk}/change/"))
    assert ("/adjust/" in page, "/refund/" in page) == (True, False)


@pytest.mark.parametrize("page", ["change", "adjust", "refund"])
def test_a_page_holds_nothing_that_its_policy_forbids(browser, account, opened, page):
    found = browser.get(f"{ACCOUNTS}/{account.pk}/{page}/")
    assert "style-src 'self'" in found["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\ssrc=)[^>]*>\s*\S|<style|\sstyle=|\son[a-z]+=", text(found))


@pytest.mark.parametrize("reason", ["Sorry, Alice", "for alice@EXAMPLE.com"])
def test_a_reason_that_names_its_person_is_refused(browser, account, reason):
    """It would stay in the books when they are deleted."""
    path = f"{ACCOUNTS}/{account.pk}/adjust/"
    page = browser.post(path, {**browser.form(path), "amount": "5.00", "reason": reason})
    assert "Leave out who it is" in text(page)
    assert account.balance_micros() == 0
