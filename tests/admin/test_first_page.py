"""What operators see first: how things stand, by numbers that lead to their rows."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from billing.ledger import account_of, post_entry
from billing.models import Account, Dispute, LedgerEntry, PaymentNotice, StripeEvent, TopUp
from core.jobs.models import Job, ScheduledCommand, WorkerSeen
from tests.admin.conftest import Browser, text
from tests.admin.rows import fill
from users.models import User
from users.operators import overview
from voice.models import Call

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def at_noon(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOON)


def figures(page):
    """The value of each, and whether it calls for somebody."""
    found = re.findall(r'<li( class="alarm")?><a href="([^"]+)"><strong>([^<]*)</strong> ([^<]*)</a>', page)
    return {unescape(words): (value, bool(alarm), unescape(address)) for alarm, address, value, words in found}


@pytest.fixture
def page(browser):
    return lambda: text(browser.get("/admin/"))


@pytest.mark.alone
def test_with_nothing_there_it_says_so(page):
    shown = figures(page())
    assert {words: value for words, (value, _, _) in shown.items()} == {
        "phones on a call now": "0",
        "groups that talk now": "0",
        "without a price for a day": "0",
        "not known to Twilio for an hour": "0",
        "held for people": "$0.00",
        "workers": "0",
        "the oldest job is late": "no",
        "jobs given up": "0",
        "commands that went wrong": "0",
    }
    assert [words for words, (_, is_alarm, _) in shown.items() if is_alarm] == ["workers"]


@pytest.fixture
def trouble(alice, group):
    """Of each kind one, and beside it what is none."""
    account, now = account_of(alice), timezone.now()
    post_entry(account=account, kind=LedgerEntry.Kind.ADJUSTMENT, amount_micros=-5_000_000, reference="x", memo="")
    day_ago = now - timedelta(hours=25)
    Call.objects.create(sid="CA1", payer=account, start_time=day_ago, end_time=day_ago, duration=0)
    Call.objects.create(sid="CA2", payer=account, start_time=now, end_time=now, duration=0)
    Call.objects.create(sid="CA3", is_on=True, group_id=group.pk, doubted_at=now - timedelta(minutes=61))
    Call.objects.create(sid="CA4", is_on=True, group_id=group.pk, doubted_at=now - timedelta(minutes=59))
    PaymentNotice.objects.create(cause="stripe:x", words="Stripe refuses it")
    WorkerSeen.objects.create(name="w", threads=1)
    Job.objects.create(task="a", cause="a", due_at=now - timedelta(minutes=7))
    Job.objects.create(task="b", cause="b", state=Job.State.DEAD)
    ScheduledCommand.objects.create(name="check_ledger", next_at=now, is_fault=True)


@pytest.mark.alone
def test_what_is_wrong_stands_out_and_leads_to_its_rows(page, trouble, browser):
    shown = figures(page())
    alarms = {words: value for words, (value, is_alarm, _) in shown.items() if is_alarm}
    assert alarms == {
        "without a price for a day": "1",
        "not known to Twilio for an hour": "1",
        "things that Stripe refuses": "1",
        "the oldest job is late": "7 min",
        "jobs given up": "1",
        "commands that went wrong": "1",
    }
    assert (shown["phones on a call now"][0], shown["groups that talk now"][0]) == ("2", "1")
    assert (shown["held for people"][0], shown["people who owe"][0]) == ("-$5.00", "1")
    for words, (_, _, address) in shown.items():
        assert browser.get(address).status_code == 200, words
    assert "CA1" in text(browser.get(shown["without a price for a day"][2]))
    assert "CA2" not in text(browser.get(shown["without a price for a day"][2]))
    doubted = text(browser.get(shown["not known to Twilio for an hour"][2]))
    assert ("CA3" in doubted, "CA4" in doubted) == (True, False)


@pytest.mark.alone
def test_each_number_about_money_is_that_of_the_rows_to_which_it_leads(page, browser, alice, bob, carol):
    for person, micros in ((alice, -5_000_000), (bob, 5_000_000)):
        kind, reference = LedgerEntry.Kind.ADJUSTMENT, person.display_name
        post_entry(account=account_of(person), kind=kind, amount_micros=micros, reference=reference, memo="")
    User.objects.filter(pk=carol.pk).update(account_balance_micros=0)
    account, gone = account_of(carol), Account.objects.create()
    LedgerEntry.objects.create(
        account=gone, kind="call", amount_micros=-7, balance_after_micros=-7, reference="x", memo=""
    )
    for status in ("pending", "consent", "refused"):
        TopUp.objects.create(account=account, customer="cus_1", amount_cents=2000, status=status, payment=status)
    for settled in (False, True):
        fields = {"account": account, "payment": "pi_1", "amount_cents": 700, "status": "lost"}
        Dispute.objects.create(id=f"du_{settled}", settled=settled, **fields)
    for applied_at in (None, NOON):
        StripeEvent.objects.create(id=f"evt_{applied_at}", type="x", payload={}, applied_at=applied_at)
    shown = figures(page())
    counted = {
        "payments under way": 2,
        "people who owe": 1,
        "accounts of deleted people": 1,
        "open disputes": 1,
        "events of Stripe's not applied": 1,
    }
    for words, number in counted.items():
        value, _, address = shown[words]
        assert (value, browser.get(address).context["cl"].result_count) == (str(number), number), words


def test_an_operator_sees_what_they_may_look_at(client, db, trouble):
    helper = User.objects.create(email="helper@example.com", display_name="Helper", is_staff=True)
    helper.user_permissions.set(Permission.objects.filter(codename__in=("view_job", "view_user")))
    client.force_login(helper)
    shown = text(client.get("/admin/"))
    assert ('aria-label="Work"' in shown, 'aria-label="Money"' in shown, 'aria-label="Calls"' in shown) == (
        True,
        False,
        False,
    )


def pictures(page):
    """The days that are not empty, of each picture, as they are told to who points at them."""
    found = re.findall(r'<svg [^>]*aria-label="([^"]+)">(.*?)</svg>', page, re.DOTALL)
    return {
        words: [
            (day, value) for day, value in re.findall(r"<title>([^:]+): ([^<]+)</title>", bars) if value[-1:] != "0"
        ]
        for words, bars in found
    }


def test_each_of_the_last_days_has_its_bar(page, at_noon, alice, monkeypatch):
    account = account_of(alice)
    for days, seconds in ((0, 60), (0, 120), (13, 600), (14, 6000)):
        start = NOON - timedelta(days=days)
        Call.objects.create(sid=f"CA{days}{seconds}", start_time=start, end_time=start, duration=seconds)
    Call.objects.create(sid="CArefused", start_time=NOON - timedelta(days=3))
    kinds = LedgerEntry.Kind
    posted = (("a", kinds.TOP_UP, 20), ("b", kinds.TOP_UP, 5), ("c", kinds.CALL, -7), ("d", kinds.ADJUSTMENT, 9))
    for reference, kind, dollars in posted:
        LedgerEntry.objects.create(
            account=account,
            kind=kind,
            amount_micros=dollars * 1_000_100,
            balance_after_micros=0,
            reference=reference,
            created_at=NOON,
        )
    shown = page()
    assert pictures(shown)["Phones a day"] == [("Mon, Nov. 9", "1"), ("Thu, Nov. 19", "1"), ("Sun, Nov. 22", "2")]
    assert pictures(shown)["Minutes a day"] == [("Sun, Nov. 22", "3")]  # ten end in a 0
    assert "Minutes a day: 13 in 14 days" in shown
    assert "Added a day: $25.00 in 14 days" in shown
    assert "Spent on calls a day: $7.00 in 14 days" in shown


def test_the_highest_bar_is_as_high_as_there_is_room_and_what_is_little_is_seen(at_noon):
    days = overview.last_days(NOON)
    drawn = overview.picture("x", NOON, {days[0]: 1_000_000, days[1]: 1, days[2]: 500_000})
    assert [bar.height for bar in drawn.bars[:4]] == [60, 1, 30, 0]
    assert [bar.y for bar in drawn.bars[:4]] == [0, 59, 30, 60]


def test_it_takes_as_many_queries_for_many_rows_as_for_few(browser: Browser, django_assert_max_num_queries) -> None:
    fill(0, 30)
    browser.get("/admin/")
    with django_assert_max_num_queries(26):
        browser.get("/admin/")


@pytest.mark.parametrize(
    ("cookie", "shown"), [("Europe/Berlin", "11:30 p.m. CET"), ("", "10:30 p.m. UTC"), ("../etc/passwd", "UTC")]
)
def test_times_are_in_the_viewers_zone(browser, alice, cookie, shown):
    User.objects.filter(pk=alice.pk).update(created_at=datetime(2026, 11, 22, 22, 30, tzinfo=UTC))
    browser.cookies["time_zone"] = cookie
    assert shown in text(browser.get(f"/admin/users/user/{alice.pk}/change/"))
    del browser.cookies["time_zone"]
    assert "10:30 p.m. UTC" in text(browser.get(f"/admin/users/user/{alice.pk}/change/"))


def test_a_day_is_the_viewers(browser, at_noon):
    start = NOON.replace(hour=23, minute=30) - timedelta(days=2)
    Call.objects.create(sid="CA1", start_time=start, end_time=start, duration=60)
    assert pictures(text(browser.get("/admin/")))["Phones a day"] == [("Fri, Nov. 20", "1")]
    browser.cookies["time_zone"] = "Europe/Berlin"
    assert pictures(text(browser.get("/admin/")))["Phones a day"] == [("Sat, Nov. 21", "1")]
