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

Captions cost CAPTION_RATE for each started minute of a leg that is captioned, which counts in its RATE while they are
on. They are turned on only where the money covers a HOLD of them for each leg beside all else, and a leg that is let in
then finds its HOLD of both. Where the money is short they go off before anybody is hung up on. So (a) holds as it is.
In (b) time limits that were given before captions went on know nothing of them: with no run at all each captioned
minute beyond the money adds CAPTION_RATE.
"""

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
    caption_minutes: int = 0
    """The started minutes of its captions: of each time that they were on."""
    is_captioned: bool = False
    """Whether what it says is written down now: that costs for each minute that it goes on."""

    def held_minutes(self, hold_minutes: int) -> int:
        """What it keeps from the others: a running one its hold at least."""
        return max(hold_minutes, self.minutes) if self.running else self.minutes

    def held_caption_minutes(self, hold_minutes: int) -> int:
        return max(hold_minutes, self.caption_minutes) if self.is_captioned else self.caption_minutes

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
    caption_rate: int = 0
    """Of one started minute of one leg's captions."""

    @property
    def running(self) -> list[Leg]:
        return [leg for leg in self.legs if leg.running]

    def hold(self, *, captions: bool) -> int:
        """What one more leg must find."""
        return self.hold_minutes * self.minute(is_captioned=captions)

    @property
    def money(self) -> int:
        """The balance less what the ended legs will be charged."""
        return self.balance - sum(self.begun(leg) for leg in self.legs if not leg.running)

    @property
    def free(self) -> int:
        """What no leg holds."""
        return self.balance - sum(self.held(leg) for leg in self.legs)

    @property
    def is_overdrawn(self) -> bool:
        """Whether it is below zero: nobody's calls go on then, whatever they need."""
        return self.balance < 0

    def time_limit(self, *, captions: bool = False) -> int:
        """How many seconds one more leg may last: as long as the money carries it and everybody on.

        At least its hold, at most four hours.
        """
        each_minute = self.each_minute + self.minute(is_captioned=captions)
        if not each_minute:
            return FOUR_HOURS
        return max(self.hold_minutes, min(MOST_MINUTES, self.left // each_minute)) * MINUTE

    def minutes_left(self, *, more: int = 0, is_captioned: bool = False) -> int:
        """For how many minutes more the money carries the running legs, beyond what they have begun, and so many more,
        which are captioned or not. They cost something."""
        return max(0, self.left // (self.each_minute + self.minute(is_captioned=is_captioned) * more))

    def is_used_up(self) -> bool:
        """Whether it cannot carry each running leg through the minute that begins before anybody looks again."""
        return self.left < self.each_minute

    @property
    def left(self) -> int:
        """What is beyond what the running legs have begun."""
        return self.money - sum(map(self.begun, self.running))

    @property
    def each_minute(self) -> int:
        """What the running legs cost for each minute that they go on."""
        return sum(self.minute(is_captioned=leg.is_captioned) for leg in self.running)

    def minute(self, *, is_captioned: bool) -> int:
        return self.rate + (self.caption_rate if is_captioned else 0)

    def begun(self, leg: Leg) -> int:
        return self.rate * leg.minutes + self.caption_rate * leg.caption_minutes

    def held(self, leg: Leg) -> int:
        """What a leg keeps from the others."""
        hold = self.hold_minutes
        return self.rate * leg.held_minutes(hold) + self.caption_rate * leg.held_caption_minutes(hold)
