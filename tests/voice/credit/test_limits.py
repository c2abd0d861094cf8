"""The arithmetic of limits. The overdraft that follows from it is in `test_overdraft.py`."""

import pytest

from voice.credit.limits import FOUR_HOURS, CallCredit, Leg

RATE = 10_300


def credit(minutes, *legs, hold=5):
    """A credit with money for so many minutes."""
    return CallCredit(balance=minutes * RATE, legs=legs, rate=RATE, hold_minutes=hold)


def on(seconds):
    return Leg(seconds, running=True)


def ended(seconds):
    return Leg(seconds, running=False)


@pytest.mark.parametrize(
    ("leg", "minutes"),
    [
        (ended(0), 0),
        (ended(1), 1),
        (ended(60), 1),
        (ended(61), 2),
        (on(0), 1),
        (on(59), 1),
        (on(60), 2),
        (on(FOUR_HOURS), 241),
        (on(10**9), 241),
    ],
)
def test_minutes_count_when_they_start(leg, minutes):
    assert leg.minutes == minutes


def test_a_running_leg_holds_its_minutes_once_they_are_more_than_the_hold():
    assert credit(100, on(0)).free == 95 * RATE
    assert credit(100, on(299)).free == 95 * RATE
    assert credit(100, on(600)).free == 89 * RATE


def test_an_ended_leg_counts_its_own_minutes_only():
    assert credit(100, ended(61)).free == credit(100, ended(61)).money == 98 * RATE


def test_the_limit_is_what_the_money_carries_for_everybody_on():
    assert credit(100).time_limit() == 100 * 60
    assert credit(100, on(0)).time_limit() == 49 * 60
    assert credit(100, on(0), on(300), ended(600)).time_limit() == (100 - 1 - 6 - 10) // 3 * 60


def test_the_limit_is_the_hold_at_least_and_four_hours_at_most():
    assert credit(12, on(0), on(0)).time_limit() == 5 * 60
    assert credit(10_000).time_limit() == FOUR_HOURS


def test_where_calls_cost_nothing_the_limit_is_four_hours():
    assert CallCredit(balance=1, legs=(on(0),), rate=0, hold_minutes=5).time_limit() == FOUR_HOURS


@pytest.mark.parametrize(("minutes", "used_up"), [(10, False), (9, False), (8, True), (-5, True)])
def test_a_balance_is_used_up_where_the_next_minute_of_each_is_not_carried(minutes, used_up):
    assert credit(minutes, on(30), on(200), ended(100)).is_used_up() == used_up  # they need 2, 5 and 2
