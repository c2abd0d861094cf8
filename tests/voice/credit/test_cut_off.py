"""The cut-off, against Twilio's double, over real HTTP."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone

from billing.ledger import account_of, set_balance
from groups.models import Group, Ownership
from tests.doubles.server import Fault
from tests.neighbours import ours
from voice.conferences.reconciliation import reconcile_calls
from voice.credit.cut_off import cut_off, legs_beyond_balance
from voice.hang_ups import claim_leg
from voice.models import Call

RATE = 10_300
NOW = timezone.now()


@pytest.fixture
def talk(twilio_telephony, twilio_double, leg, settings, money, alice, bob):
    """Alice and Bob have just begun to talk; what their calls are at Twilio."""
    settings.MIN_CALL_BALANCE = 500_000
    money(100)
    calls = [twilio_double.calls[twilio_double.call(status="in-progress")] for _ in range(2)]
    for user, call in zip((alice, bob), calls, strict=True):
        leg(user, call["sid"])
    ours(Call).update(created_at=NOW, heard_at=NOW)
    return calls


@pytest.fixture
def money(alice):
    """Gives Alice money for so many minutes."""
    return lambda minutes, user=alice: set_balance(user=user, balance_micros=minutes * RATE, memo="")


def statuses(calls):
    return [call["status"] for call in calls]


def after(**passed):
    return NOW + timedelta(**passed)


def test_the_legs_of_a_payer_whose_balance_is_used_up_are_ended(talk, money):
    money(19)
    assert cut_off(now=after(minutes=9)).ended == 2
    assert statuses(talk) == ["completed", "completed"]


def test_they_talk_on_while_the_balance_carries_the_minute_to_the_next_run(talk, money):
    money(22)
    assert cut_off(now=after(minutes=9, seconds=59)).ended == 0
    money(21)
    assert cut_off(now=after(minutes=9, seconds=59)).ended == 2


def test_a_leg_that_ended_and_has_no_price_yet_counts(talk, money, twilio_double):
    money(22)
    Call.objects.create(sid="CA9", payer=ours(Call).first().payer, end_time=NOW, duration=1)
    assert cut_off(now=after(minutes=9)).ended == 2
    assert all("CA9" not in asked.path for asked in twilio_double.requests)  # it is over


@pytest.mark.alone
def test_a_group_that_joined_late_uses_up_the_same_balance(talk, money, twilio, twilio_double, alice):
    work = Group.objects.create(name="Work")
    Ownership.objects.create(group=work, user=alice)
    late = [twilio_double.calls[twilio_double.call(status="in-progress")] for _ in range(3)]
    for call in late:
        twilio("/api/voice/makeCall", to=work.pk, From=f"client:u_{alice.pk}", CallSid=call["sid"])
    Call.objects.filter(group_id=work.pk).update(created_at=NOW)
    Call.objects.exclude(group_id=work.pk).update(created_at=after(minutes=-37))
    assert cut_off(now=after(minutes=3)).ended == 0  # with the next minute they need 2 * 42 + 3 * 5 of the 100
    assert cut_off(now=after(minutes=4)).ended == 5
    assert set(statuses([*talk, *late])) == {"completed"}


def test_another_payers_legs_are_left_alone(talk, money, bob):
    money(0)
    ours(Ownership).update(user=bob)
    Call.objects.filter(sid=talk[1]["sid"]).update(payer=payer_with_money(bob, money))
    assert cut_off(now=after(minutes=1)).ended == 1
    assert statuses(talk) == ["completed", "in-progress"]


def payer_with_money(user, money):
    money(100, user=user)
    user.refresh_from_db()
    return user.account


def test_a_balance_that_cannot_be_looked_at_keeps_nobody_elses_calls_going(talk, money, bob, monkeypatch):
    money(19, user=bob)
    Call.objects.create(sid="CA9", payer=account_of(bob), created_at=NOW, heard_at=NOW)

    def look(account, *, now):
        if account.user_id == bob.pk:
            raise DatabaseError
        return legs_beyond_balance(account, now=now)

    monkeypatch.setattr("voice.credit.cut_off.legs_beyond_balance", look)
    money(19)
    summary = cut_off(now=after(minutes=9))
    assert (summary.ended, summary.attempts.failed) == (2, 1)


def test_without_a_least_balance_nobody_is_cut_off(talk, money, settings):
    settings.MIN_CALL_BALANCE = 0
    money(0)
    assert cut_off(now=after(hours=3)).ended == 0


@pytest.mark.parametrize("free", [{"MIN_CALL_BALANCE": 0}, {"CALL_RATE": 0}, {"CALL_RATE": 0, "CONFERENCE_RATE": 0}])
def test_a_balance_below_zero_is_cut_off_whatever_calls_need(talk, settings, alice, free):
    for name, value in free.items():
        setattr(settings, name, value)
    assert cut_off(now=after(minutes=3)).ended == 0
    set_balance(user=alice, balance_micros=-1, memo="")
    assert cut_off(now=after(minutes=3)).ended == 2
    assert statuses(talk) == ["completed", "completed"]


def test_a_leg_that_nobody_pays_is_not_cut_off(talk, money):
    money(0)
    ours(Call).update(payer=None)
    assert cut_off(now=after(hours=3)).ended == 0


def test_what_twilio_does_not_answer_is_left_to_the_next_run(talk, money, twilio_double):
    money(0)
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 2)
    summary = cut_off(now=NOW)
    assert (summary.ended, summary.failed) == (0, 2)
    assert cut_off(now=after(minutes=1)).ended == 2


@pytest.mark.alone
def test_after_three_failures_the_rest_comes_first_in_the_next_run(talk, money, twilio_double, leg, alice):
    late = [twilio_double.calls[twilio_double.call(status="in-progress")] for _ in range(3)]
    for call in late:
        leg(alice, call["sid"])
    money(0)
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 3)
    assert cut_off(now=NOW).failed == 3
    assert Call.objects.filter(hang_up_at=None).count() == 2
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 5)
    cut_off(now=after(minutes=1))
    assert not Call.objects.filter(hang_up_at=None).exists()


def test_a_second_run_at_once_asks_nothing_more_of_twilio(talk, money, twilio_double):
    money(0)
    cut_off(now=NOW)
    asked = len(twilio_double.requests)
    assert cut_off(now=after(seconds=1)).ended == 0
    assert len(twilio_double.requests) == asked


def test_of_two_runs_that_read_the_same_one_ends_it(talk):
    one, other = Call.objects.get(sid=talk[0]["sid"]), Call.objects.get(sid=talk[0]["sid"])
    assert (claim_leg(one, now=NOW), claim_leg(other, now=NOW)) == (True, False)


def test_a_leg_that_has_ended_at_twilio_already_is_told_again_without_harm(talk, money):
    money(0)
    cut_off(now=NOW)
    summary = cut_off(now=after(minutes=1))
    assert (summary.ended, summary.failed) == (2, 0)


def test_twilios_callback_ends_them_in_our_books(talk, money, twilio):
    money(0)
    cut_off(now=NOW)
    for call in talk:
        twilio("/api/voice/callEvents", CallSid=call["sid"], CallStatus="completed", CallDuration="61")
    assert cut_off(now=after(minutes=1)).ended == 0
    assert set(ours(Call).values_list("duration", flat=True)) == {61}


def test_where_the_callback_is_lost_asking_ends_them_in_our_books(talk, money):
    money(0)
    for minute in range(4):
        cut_off(now=after(minutes=minute))
        reconcile_calls(now=after(minutes=minute))
    assert set(ours(Call).values_list("duration", flat=True)) == {61}


def test_switched_off_telephony_is_counted_as_a_failure(talk, money, settings):
    money(0)
    settings.TELEPHONY = {}
    assert cut_off(now=NOW).failed == 2


def test_the_command_says_how_many_failed(talk, money, capsys, twilio_double):
    money(0)
    twilio_double.fail_next(Fault.SERVER_ERROR)
    call_command("reconcile_calls")
    assert " 1 failed" in capsys.readouterr().out


def test_the_command_says_how_many_it_ended(talk, money, capsys):
    money(0)
    call_command("reconcile_calls")
    assert capsys.readouterr().out.startswith("ended 2 calls of used-up balances, asked about ")
