"""How far a payer's money carries their calls: pure arithmetic, in whole micro-dollars and seconds.

A payer's legs are all that are not settled, in whichever of their groups. RATE is CALL_RATE + CONFERENCE_RATE, for
each started minute of each leg, and HOLD is HOLD_MINUTES. A leg is let in where the money covers its HOLD beside
what the others hold, so n legs on means that there were n * HOLD minutes when the last of them was let in.

The largest overdraft, with n legs on after the last one was let in:

(a) With the cut-off each minute: 2 * n * RATE, which is never above 2 / HOLD of the money of that moment. Each time
    that somebody was let in, or a run ended nobody, every minute begun so far was covered. The next run comes within
    a minute or so, the legs that it ends are gone within two, and in two minutes a leg begins two more. Each run
    that is missed, or that Twilio does not answer, adds n * RATE, until the time limits end the calls.
(b) With no cut-off at all: RATE * (n + the sum, for i from 1 to n - 1, of limit(i) - HOLD), where
    limit(i) = min(240, max(HOLD, money / (RATE * i))) minutes and money is the most there was when one of these n
    was let in. The i-th oldest was let in with i on at least, so its limit is at most limit(i), and the last one's
    limit was still there for each of the n. The n is a minute a leg for the seconds before Twilio starts the limit.

Whatever is set, legs are ended within a run once the balance is below zero, and none starts then. Where calls need no
balance (MIN_CALL_BALANCE=0), or cost nothing (CALL_RATE=0), that is the only bound: what runs until then is not
counted, and the start says so (`voice/checks.py`).

A leg that Twilio does not know counts as running until its limit is over. No run can end it, so it adds RATE a minute
until then, as if each run were missed. Then it is charged for as long as it was known to be on, and what an ended leg
without a price is charged after a day is what it held: RATE * its minutes.

Both count Twilio's price as CALL_RATE. Where a call costs more, from a phone or abroad, each minute's difference
comes on top; so does what is told of a leg after it was charged without being known, and money that a dispute takes
away during a call. A refund by staff takes none that legs hold.
`tests/voice/credit/test_overdraft.py` plays both.
"""

from collections.abc import Iterable
from dataclasses import dataclass

MINUTE = 60
MOST_MINUTES = 240
FOUR_HOURS = MOST_MINUTES * MINUTE
MOST_TIMES_OUR_RATE = 100
"""A minute from a phone, or from abroad, costs more than CALL_RATE: cents, not dollars."""
USUAL_RATE = 8_500
"""The least that CALL_RATE counts as here: of rates of nothing no price would be in range."""


ALLOWANCE = 2 * MINUTE
"""Seconds by which Twilio's clock and ours may differ, and by which its request to let somebody in may come late."""


def can_have_lasted(seconds: int, *, since_begun: float) -> bool:
    """Whether a leg can, that was let in so many seconds before it had ended. Twilio ends it at its limit, which it
    begins to count within a minute."""
    return 0 <= seconds <= min(FOUR_HOURS + MINUTE, since_begun + ALLOWANCE)


def can_be_price(price_micros: int, *, minutes: int, call_rate: int) -> bool:
    """Whether Twilio can charge this for a leg of so many minutes. Twilio's prices are negative, or nothing."""
    return -max(minutes, 1) * max(call_rate, USUAL_RATE) * MOST_TIMES_OUR_RATE <= price_micros <= 0


@dataclass(frozen=True, slots=True)
class Leg:
    """A leg that is not settled."""

    seconds: int
    """How long it has lasted."""
    running: bool

    def held_minutes(self, hold_minutes: int) -> int:
        """What it keeps from the others: a running one its hold at least."""
        return max(hold_minutes, self.minutes) if self.running else self.minutes

    @property
    def minutes(self) -> int:
        """Its started minutes. None runs longer than its limit, even where its end was never heard of."""
        if self.running:
            return min(self.seconds // MINUTE, MOST_MINUTES) + 1
        return -(-self.seconds // MINUTE)


@dataclass(frozen=True, slots=True)
class CallCredit:
    """A payer's balance, and the legs that it must carry."""

    balance: int
    legs: tuple[Leg, ...]
    rate: int
    hold_minutes: int

    @property
    def running(self) -> list[Leg]:
        return [leg for leg in self.legs if leg.running]

    @property
    def hold(self) -> int:
        """What one more leg must find."""
        return self.cost([self.hold_minutes])

    @property
    def money(self) -> int:
        """The balance less what the ended legs will be charged."""
        return self.balance - self.cost(leg.minutes for leg in self.legs if not leg.running)

    @property
    def free(self) -> int:
        """What no leg holds."""
        return self.balance - self.cost(leg.held_minutes(self.hold_minutes) for leg in self.legs)

    @property
    def is_overdrawn(self) -> bool:
        """Whether it is below zero: nobody's calls go on then, whatever they need."""
        return self.balance < 0

    def time_limit(self) -> int:
        """How many seconds one more leg may last: as long as the money carries it and everybody on.

        At least its hold, at most four hours.
        """
        if not self.rate:
            return FOUR_HOURS
        left = self.money - self.cost(leg.minutes for leg in self.running)
        minutes = left // (self.rate * (len(self.running) + 1))
        return max(self.hold_minutes, min(MOST_MINUTES, minutes)) * MINUTE

    def minutes_left(self, people: int) -> int:
        """For how many minutes more the money carries so many legs, beyond what the running ones have begun. There is a
        rate."""
        left = self.money - self.cost(leg.minutes for leg in self.running)
        return max(0, left // (self.rate * people))

    def is_used_up(self) -> bool:
        """Whether it cannot carry each running leg through the minute that begins before anybody looks again."""
        return self.money < self.cost(leg.minutes + 1 for leg in self.running)

    def cost(self, minutes: Iterable[int]) -> int:
        return self.rate * sum(minutes)
