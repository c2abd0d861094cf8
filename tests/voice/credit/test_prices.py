from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from billing.ledger import set_balance
from billing.models import LedgerEntry
from core.jobs.models import Job
from groups.models import Group
from tests.doubles.server import Fault
from tests.neighbours import ours
from voice.credit.prices import FIRST_WAIT, sync_prices
from voice.models import Call


@pytest.fixture
def ended(twilio, group, alice, bob):
    """Bob called for 61 seconds in Alice's group, who has $10."""
    set_balance(user=alice, balance_micros=10_000_000, memo="")
    twilio("/api/voice/makeCall", to=group.pk, From=f"client:u_{bob.pk}", CallSid="CA1")
    twilio("/api/voice/callEvents", CallSid="CA1", CallStatus="completed", CallDuration="61")
    return ours(Call).get()


def later(minutes=3):
    return timezone.now() + timedelta(minutes=minutes)


def test_the_owner_pays_two_started_minutes_and_the_conference(ended, api, alice):
    sync_prices(now=later())
    entry = LedgerEntry.objects.get(kind="call")
    assert entry.amount_micros == -2 * (8_500 + 1_800)
    assert (entry.reference, entry.group_id) == ("twilio:CA1", ended.group_id)
    assert api.get(f"/api/users/{alice.pk}").json()["accountBalance"] == "9.97"


def test_it_is_charged_once_however_often_it_is_asked(ended):
    sync_prices(now=later())
    ours(Call).update(price_due_at=timezone.now())
    sync_prices(now=later())
    assert LedgerEntry.objects.filter(kind="call").count() == 1


def test_a_price_is_not_asked_before_its_time(twilio_telephony, ended, run_jobs):
    assert sync_prices(now=timezone.now()).priced == 0
    assert ended.price_due_at - ended.end_time == FIRST_WAIT
    assert run_jobs() == []


def test_the_end_of_a_call_has_its_price_asked_for_and_charged_without_any_command(ended, run_jobs):
    assert run_jobs() == ["ask_for_price"]
    assert LedgerEntry.objects.get(kind="call").amount_micros == -2 * (8_500 + 1_800)


def test_a_price_that_twilio_does_not_tell_is_asked_for_again(twilio_telephony, twilio_double, ended, run_jobs):
    ours(Call).update(price_due_at=timezone.now())
    Job.objects.update(due_at=timezone.now())
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 3)
    assert run_jobs(failing=True) == ["ask_for_price"]
    assert Job.objects.get().state == "waiting"


def test_a_price_that_was_asked_for_meanwhile_is_not_asked_for_again(ended, run_jobs):
    sync_prices(now=later())
    assert run_jobs() == ["ask_for_price"]
    assert LedgerEntry.objects.filter(kind="call").count() == 1


def test_the_charges_routes_show_it(ended, api, group):
    sync_prices(now=later())
    assert api.get("/api/billing/allTwilioCharges").json()["total"] == -0.017
    answer = api.post("/api/billing/groupTwilioCharges", {"groupId": group.pk})
    assert answer.json() == {"sumOfGroupTwilioCharges": -0.017}


def test_a_payer_who_is_gone_leaves_an_account_that_still_pays(ended, alice, bob):
    alice.delete()
    sync_prices(now=later())
    assert LedgerEntry.objects.get(kind="call").account.user is None


def test_a_group_that_is_gone_is_still_paid_for(ended):
    ours(Group).all().delete()
    sync_prices(now=later())
    assert "gone" in LedgerEntry.objects.get(kind="call").memo


def test_a_call_that_nobody_pays_has_a_price_and_no_entry(ended):
    ours(Call).update(payer=None)
    assert sync_prices(now=later()).priced == 1
    assert not LedgerEntry.objects.filter(kind="call").exists()
    assert ours(Call).get().charged_micros is None


def test_the_price_of_a_call_that_nobody_pays_is_asked_for_once_more_and_then_no_longer(ended):
    ours(Call).update(payer=None)
    for hours in (0, 25):
        assert ours(Call).get().price_due_at
        sync_prices(now=later(60 * hours + 3))
    assert ours(Call).get().price_due_at is None


def test_an_unknown_price_is_asked_for_with_growing_pauses_for_a_week_and_reported(ended, twilio_telephony):
    now, pauses = ours(Call).get().price_due_at, []
    while due := ours(Call).get().price_due_at:
        pauses.append((due - now) // timedelta(minutes=1))
        now = due
        summary = sync_prices(now=now)
    assert pauses == [0, 5, 15, 60, 6 * 60, 24 * 60, *[24 * 60] * 6]
    assert summary.given_up == 1


@pytest.mark.parametrize(("early", "asks_on"), [(timedelta(0), False), (timedelta(microseconds=1), True)])
def test_the_last_time_is_a_week_after_the_end_to_the_moment(ended, twilio_telephony, early, asks_on):
    week = ended.end_time + timedelta(days=7)
    ours(Call).update(price_due_at=week - early)
    sync_prices(now=week - early)
    assert (ours(Call).get().price_due_at is not None) == asks_on


def test_the_command_says_what_it_did(ended, capsys):
    ours(Call).update(price_due_at=timezone.now())
    call_command("sync_call_prices")
    assert capsys.readouterr().out == (
        "priced 1, still waiting 0, without a price after a day 0; "
        "charged 0 at our own rates, left 0 for the next run\n"
    )


@pytest.fixture
def at_twilio(twilio_telephony, twilio_double, ended):
    """The call at Twilio, whose price can be set."""
    sid = twilio_double.call(price="-0.0170")
    ours(Call).update(sid=sid)
    return twilio_double.calls[sid]


def test_a_price_that_changes_later_posts_the_difference_once(at_twilio, alice):
    sync_prices(now=later())
    at_twilio["price"] = "-0.0200"
    for hours in (25, 26, 27):
        sync_prices(now=later(60 * hours))
    amounts = LedgerEntry.objects.filter(kind="call").order_by("id").values_list("amount_micros", flat=True)
    assert list(amounts) == [-20_600, -3_000]


def test_a_price_is_asked_for_once_more_after_a_day_and_not_before(at_twilio):
    sync_prices(now=later())
    at_twilio["price"] = "-0.0200"
    assert [sync_prices(now=later(60 * hours)).priced for hours in (1, 23, 25)] == [0, 0, 1]
    assert LedgerEntry.objects.filter(kind="call").count() == 2


def test_a_price_that_stays_is_asked_for_once_more_and_posts_nothing(at_twilio):
    sync_prices(now=later())
    sync_prices(now=later(60 * 25))
    assert LedgerEntry.objects.filter(kind="call").count() == 1
    assert ours(Call).get().price_due_at is None
