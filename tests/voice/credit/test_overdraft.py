"""The largest overdraft: a payer's calls, played over hours by the arithmetic of limits, without a database."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from voice.credit.limits import FOUR_HOURS, CallCredit, Leg

RATE = 10_300
SLACK = 60  # Twilio starts a leg's limit within these seconds, and ends it within them
SETTLED_AFTER = 150  # seconds from a leg's end until it is charged


@dataclass
class Call:
    start: int
    end: int

    def leg(self, now):
        return Leg(min(now, self.end) - self.start, running=now < self.end)

    def cost(self):
        return -(-(self.end - self.start) // 60) * RATE


@dataclass
class Payer:
    """Plays the calls of one payer, into any of their groups, and the runs of the cut-off."""

    minutes: int
    hold: int = 5
    late: tuple[int, ...] = (0,)
    """By how many seconds each run comes late, in turn."""
    gone_after: int | None = 30
    """Seconds until the legs that a run ends are gone; None where the cut-off never runs."""
    missed: int = 0
    """How many runs in a row fail before one works."""
    unknown: int = 0
    """So many calls, the first ones, does Twilio not know: no run ends them."""
    calls: list[Call] = field(default_factory=list)
    people: int = 0
    """How many were on after the last join."""
    last_money: int = 0
    """What there was to spend then."""

    def credit(self, now):
        charged = sum(call.cost() for call in self.calls if call.end + SETTLED_AFTER <= now)
        legs = [call.leg(now) for call in self.calls if call.end + SETTLED_AFTER > now]
        return CallCredit(self.minutes * RATE - charged, tuple(legs), RATE, self.hold)

    def join(self, now, stay):
        credit = self.credit(now)
        if credit.free >= credit.hold(captions=False):
            self.calls.append(Call(now, now + min(stay, credit.time_limit() + SLACK)))
            self.people, self.last_money = len(credit.running) + 1, credit.money

    def cut_off(self, now):
        if self.credit(now).is_used_up():
            for call in self.calls[self.unknown :]:
                call.end = min(call.end, now + self.gone_after)

    def runs(self, until):
        return [] if self.gone_after is None else range(0, until, 60 * (1 + self.missed))

    def play(self, joins):
        """`joins`: when, and for how long; in seconds. The payer, once all is over."""
        steps = [(when, 1, stay) for when, stay in joins]
        for number, when in enumerate(self.runs(max(when for when, _ in joins) + FOUR_HOURS + 120)):
            steps.append((when + self.late[number % len(self.late)], 0, 0))
        for when, is_join, stay in sorted(steps):
            if is_join:
                self.join(when, stay)
            else:
                self.cut_off(when)
        return self

    @property
    def overdraft(self):
        """In minutes."""
        return sum(call.cost() for call in self.calls) // RATE - self.minutes


def bound_with_cut_off(payer):
    return (2 + payer.missed) * payer.people


def bound_with_doubt(payer):
    """A leg that no run can end lasts until its limit is over, and a minute."""
    return bound_with_cut_off(payer) + 241 * min(payer.unknown, len(payer.calls))


def bound_without(payer):
    limits = [min(240, max(payer.hold, payer.minutes // i)) for i in range(1, payer.people)]
    return payer.people + sum(limit - payer.hold for limit in limits)


plans = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 90), st.integers(0, 4 * 3600)),  # at once, or late
        st.one_of(st.integers(1, 90), st.integers(1, 5 * 3600)),  # a moment, or hours
    ),
    min_size=1,
    max_size=12,
)
moneys = st.one_of(st.integers(1, 60), st.integers(1, 1500))
holds = st.integers(1, 10)
lateness = st.lists(st.integers(0, 30), min_size=1, max_size=5).map(tuple)


@settings(deadline=None, max_examples=300)
@given(plan=plans, minutes=moneys, hold=holds, late=lateness, gone_after=st.integers(1, 30), missed=st.integers(0, 3))
def test_with_the_cut_off_the_overdraft_is_bounded(plan, minutes, hold, late, gone_after, missed):
    payer = Payer(minutes, hold, late, gone_after, missed).play(plan)
    assert payer.overdraft <= bound_with_cut_off(payer)
    assert payer.overdraft * RATE * hold <= (2 + missed) * payer.last_money


@settings(deadline=None, max_examples=300)
@given(plan=plans, minutes=moneys, hold=holds)
def test_without_the_cut_off_the_time_limits_bound_the_overdraft(plan, minutes, hold):
    payer = Payer(minutes, hold, gone_after=None).play(plan)
    assert payer.overdraft <= bound_without(payer) <= (241 - hold) * payer.people


@settings(deadline=None, max_examples=300)
@given(plan=plans, minutes=moneys, hold=holds, late=lateness, unknown=st.integers(1, 3))
def test_legs_that_twilio_does_not_know_add_no_more_than_their_limits(plan, minutes, hold, late, unknown):
    payer = Payer(minutes, hold, late, unknown=unknown).play(plan)
    assert payer.overdraft <= bound_with_doubt(payer)


def test_the_bound_with_the_cut_off_is_nearly_reached():
    talking = [(59, FOUR_HOURS)] * 40
    short_calls = [(3601 + second, 1) for second in range(50)]  # spend what the last run kept for the next minute
    payer = Payer(40 * 61 + 1, late=(0, 30), gone_after=30).play([*talking, *short_calls, (3658, FOUR_HOURS)])
    assert 0.85 * bound_with_cut_off(payer) < payer.overdraft <= bound_with_cut_off(payer)


def test_the_bound_without_the_cut_off_is_nearly_reached():
    talking = [(0, FOUR_HOURS)] * 3
    short_calls = [(2 + 2 * number, 1) for number in range(85)]  # spend what the limits counted on
    payer = Payer(100, gone_after=None).play([*talking, *short_calls, (200, FOUR_HOURS)])
    assert 0.85 * bound_without(payer) < payer.overdraft <= bound_without(payer)


def test_two_who_start_at_once_talk_on_without_an_overdraft_but_for_their_last_minutes():
    payer = Payer(100).play([(0, FOUR_HOURS), (0, FOUR_HOURS)])
    assert -4 <= payer.overdraft <= 2


def test_everybody_joining_late_is_ended_by_the_cut_off_and_not_by_the_first_ones_limit():
    joins = [(0, FOUR_HOURS), *((1800, FOUR_HOURS) for _ in range(9))]
    payer = Payer(100).play(joins)
    assert payer.overdraft <= 20
    assert max(call.end for call in payer.calls) < 45 * 60


def test_a_long_call_ends_after_four_hours_with_money_left():
    payer = Payer(1000).play([(0, 5 * 3600)] * 2)
    assert {call.end for call in payer.calls} == {FOUR_HOURS + SLACK}
    assert payer.overdraft == 2 * 241 - 1000
