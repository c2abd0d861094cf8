"""The form that settles a call whose price does not come, and where operators see what is held and in doubt."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from billing.ledger import set_balance
from billing.models import LedgerEntry
from groups.models import Group
from tests.admin.conftest import history, text
from tests.neighbours import ours
from voice.credit.charges import post_price, settle_at_our_rates
from voice.models import Call, Conference, GroupCall, HangUp

CALLS = "/admin/voice/call"
ENDED = {"end_time": timezone.now() - timedelta(hours=2), "duration": 4 * 3600, "status": "completed"}
WRITTEN = {"amount": "1.25", "reason": "The line was dead"}
RATE = 10_300


@pytest.fixture
def call(account, group, alice):
    """It lasted four hours, and has no price; Alice pays it, who has $5."""
    set_balance(user=alice, balance_micros=5_000_000, memo="")
    return Call.objects.create(sid="CA1", payer=account, group_id=group.pk, **ENDED)


@pytest.fixture
def settle(browser, call):
    """Opens the form and sends it."""
    path = f"{CALLS}/{call.pk}/settle/"
    return lambda **written: browser.post(path, {**browser.form(path), **WRITTEN, **written}, follow=True)


def charges():
    return list(ours(LedgerEntry).filter(kind="call").order_by("id").values_list("amount_micros", "memo"))


def test_a_call_is_settled_with_a_reason(settle, call, api, alice):
    assert "Settled by $1.25 in all" in text(settle())
    call.refresh_from_db()
    assert (call.settled_by, call.charged_micros, call.price_due_at) == ("staff", 1_250_000, None)
    line = api.get(f"/api/users/{alice.pk}/statement").json()[-1]
    assert (line["amount"], line["memo"], line["kind"]) == ("-1.25", "The line was dead", "call")


def test_its_money_is_free_again(settle, call, browser):
    page = f"/admin/billing/account/{call.payer_id}/change/"
    assert "$2.472" in text(browser.get(page))
    settle(amount="0")
    assert "$2.472" not in text(browser.get(page))
    assert charges() == []


def test_who_settled_it_stands_in_the_history(settle):
    settle()
    assert history() == [("root@example.com", "Settled by $1.25 in all: The line was dead")]


def test_each_of_two_calls_that_are_settled_in_the_same_words_has_its_line(settle, browser, call):
    other = Call.objects.create(sid="CA2", payer=call.payer, group_id=call.group_id, **ENDED)
    settle()
    path = f"{CALLS}/{other.pk}/settle/"
    browser.post(path, {**browser.form(path), **WRITTEN})
    assert [words for _, words in history()] == ["Settled by $1.25 in all: The line was dead"] * 2


def test_a_form_that_is_sent_twice_posts_once(settle):
    for _ in range(2):
        settle()
    assert (charges(), len(history())) == ([(-1_250_000, "The line was dead")], 1)


def test_what_was_settled_is_not_settled_otherwise(settle):
    settle()
    assert "was settled meanwhile, by another amount" in text(settle(amount="2"))
    assert len(charges()) == 1


def test_after_our_own_rates_the_difference_is_posted(settle, call):
    settle_at_our_rates(call)
    settle()
    assert [micros for micros, _ in charges()] == [-240 * RATE, 240 * RATE - 1_250_000]


def test_a_price_that_comes_afterwards_changes_it_no_more(settle, call):
    settle()
    post_price(call, -9_000_000, now=timezone.now())
    call.refresh_from_db()
    assert (len(charges()), call.price_micros, call.price_due_at) == (1, -9_000_000, None)


def test_a_price_that_came_meanwhile_is_kept(settle, call):
    post_price(call, -1_000_000, now=timezone.now())
    assert "price has come meanwhile" in text(settle())
    assert len(charges()) == 1


def test_a_call_that_may_still_run_is_not_settled(settle, call, browser):
    ours(Call).update(end_time=None, created_at=timezone.now() - timedelta(hours=3))
    assert "may still be running" in text(settle())
    assert "/settle/" not in text(browser.get(f"{CALLS}/{call.pk}/change/"))
    assert charges() == []


def test_one_whose_time_limit_is_over_is(settle, call, browser):
    ours(Call).update(end_time=None, is_on=True, created_at=timezone.now() - timedelta(hours=5))
    assert "/settle/" in text(browser.get(f"{CALLS}/{call.pk}/change/"))
    settle()
    call.refresh_from_db()
    assert (call.end_source, call.settled_by) == ("assumed", "staff")


@pytest.mark.parametrize("amount", ["", "-1", "x", "0.0000001", "1000", "NaN", "Infinity"])
def test_another_amount_is_refused(settle, amount):
    assert 'class="errorlist"' in text(settle(amount=amount))
    assert (charges(), history()) == ([], [])


@pytest.mark.parametrize("reason", ["", "  ", "\u200b", "x" * 256])
def test_a_reason_is_demanded(settle, reason):
    assert 'class="errorlist"' in text(settle(reason=reason))
    assert charges() == []


def test_the_form_says_what_there_is_to_decide_by(browser, call):
    ours(Call).update(price_told="-210", price_unit="JPY")
    page = text(browser.get(f"{CALLS}/{call.pk}/settle/"))
    assert "240 started minutes, at our own rates $2.472. Twilio&#x27;s price is -210 JPY." in page
    assert "the balance is $5.00" in page
    assert "Charged so far" not in page


def test_it_says_what_cannot_be_and_what_was_charged(browser, call):
    ours(Call).update(duration_told="-5", charged_micros=2_472_000)
    page = text(browser.get(f"{CALLS}/{call.pk}/settle/"))
    assert "Twilio has told &#x27;-5&#x27;, which cannot be. Charged so far: $2.472." in page
    assert "Twilio&#x27;s price is" not in page


def test_it_is_for_staff_who_may_move_money(helper, client, call, bob):
    path = f"{CALLS}/{call.pk}/settle/"
    assert client.post(path, WRITTEN)["Location"] == f"/admin/login/?next={path}"
    assert (helper.get(path).status_code, helper.post(path, WRITTEN).status_code) == (403, 403)
    bob.user_permissions.add(*Permission.objects.filter(codename__in=["change_account", "view_call"]))
    assert "Settled by" in text(helper.post(path, {**helper.form(path), **WRITTEN}, follow=True))


@pytest.mark.parametrize("call_id", [999, 10**20])
def test_a_call_that_is_not_there_has_no_form(browser, call_id):
    assert browser.get(f"{CALLS}/{call_id}/settle/").status_code == 404


def test_a_call_that_nobody_pays_has_none(browser, db):
    call = Call.objects.create(sid="CA1", **ENDED)
    assert browser.get(f"{CALLS}/{call.pk}/settle/").status_code == 404
    assert "/settle/" not in text(browser.get(f"{CALLS}/{call.pk}/change/"))


@pytest.mark.parametrize(
    ("fields", "is_offered"), [({}, True), ({"price_micros": -1}, False), ({"settled_by": "staff"}, False)]
)
def test_a_call_leads_to_the_form_where_it_can_be_settled(browser, call, fields, is_offered):
    ours(Call).update(**fields)
    assert ("/settle/" in text(browser.get(f"{CALLS}/{call.pk}/change/"))) is is_offered
    assert browser.get(f"{CALLS}/999999/change/").status_code == 302


# What is seen


@pytest.mark.parametrize(
    ("fields", "held", "why"),
    [
        ({}, "$2.472", "price is not known yet"),
        ({"price_told": "-210", "price_unit": "JPY"}, "$2.472", "price is -210 JPY"),
        ({"doubted_at": ENDED["end_time"]}, "$2.472", "price is not known yet"),
        ({"end_time": None}, "$0.0515", "It is running"),
        ({"end_time": None, "doubted_at": ENDED["end_time"]}, "$0.0515", "Twilio has not known it since"),
    ],
)
def test_an_account_shows_what_is_held_and_why(browser, call, fields, held, why):
    ours(Call).update(**fields)
    page = text(browser.get(f"/admin/billing/account/{call.payer_id}/change/"))
    assert held in page
    assert why in page


def test_an_account_shows_no_call_that_is_settled(browser, call):
    path = f"/admin/voice/call/{call.pk}/change/"
    assert path in text(browser.get(f"/admin/billing/account/{call.payer_id}/change/"))
    post_price(call, -1_234_567, now=timezone.now())
    assert path not in text(browser.get(f"/admin/billing/account/{call.payer_id}/change/"))


@pytest.mark.parametrize(("model", "found"), [("call", "CA2"), ("conference", "CF2")])
def test_what_twilio_has_not_known_for_an_hour_is_found(browser, call, model, found):
    for number, minutes in ((2, 61), (3, 59)):
        doubted_at = timezone.now() - timedelta(minutes=minutes)
        Call.objects.create(sid=f"CA{number}", doubted_at=doubted_at)
        Conference.objects.create(sid=f"CF{number}", doubted_at=doubted_at)
    (row,) = browser.get(f"/admin/voice/{model}/?doubt=hour").context["cl"].result_list
    assert row.sid == found
    assert browser.get(f"/admin/voice/{model}/?doubt=any").context["cl"].result_count == 2


def test_a_call_says_how_its_end_and_charge_are_known(browser, call):
    ours(Call).update(end_source="assumed", settled_by="rates", charged_micros=2_472_000)
    page = text(browser.get(f"{CALLS}/{call.pk}/change/"))
    assert all(words in page for words in ("Twilio did not know it", "our own rates", "$2.472"))


def found(browser, **asked):
    return {call.sid for call in browser.get(f"{CALLS}/", asked).context["cl"].result_list}


NOW = timezone.now()
FOUND = {
    "CAprice": {"end_time": NOW - timedelta(hours=25)},
    "CAlate": {"end_time": NOW - timedelta(hours=23)},
    "CAyen": {"price_told": "-210", "end_time": NOW, "price_micros": 0},
    "CAlong": {"duration_told": "-5", "end_time": NOW, "price_micros": 0},
}


@pytest.mark.parametrize(
    ("asked", "sids"),
    [
        ({"missing": "price"}, {"CAprice"}),
        ({"aside": "price"}, {"CAyen"}),
        ({"aside": "duration"}, {"CAlong"}),
        ({"ending": "due"}, {"CAdue"}),
        ({"q": "CFtalk"}, {"CAdue"}),
        ({"q": "bob@"}, {"CAlate"}),
        ({"q": "Fam"}, {"CAprice"}),
    ],
)
def test_calls_are_found_by_what_is_wrong_with_them_and_whose_they_are(browser, account, group, bob, asked, sids):
    for sid, fields in FOUND.items():
        Call.objects.create(sid=sid, payer=account, duration=60, status="completed", **fields)
    ours(Call).filter(sid="CAlate").update(user_id=bob.pk)
    ours(Call).filter(sid="CAprice").update(group_id=group.pk)
    talk = Conference.objects.create(sid="CFtalk")
    due = Call.objects.create(sid="CAdue", conference=talk, is_on=True)
    HangUp.objects.create(call=due, why=HangUp.Why.TAKEN_OFF)
    assert found(browser, **asked) == sids


def test_what_captions_hold_is_held_where_they_are_on(browser, call, group, settings):
    ours(Call).update(end_time=None)
    page = f"/admin/billing/account/{call.payer_id}/change/"
    GroupCall.objects.create(group_id=group.pk, captions=False)
    GroupCall.objects.create(group_id=Group.objects.create(name="Choir").pk, captions=True)
    assert "$0.0515" in text(browser.get(page))
    ours(GroupCall).filter(group_id=group.pk).update(captions=True)
    assert "$0.0515" not in text(browser.get(page))
