"""Who is on a conference: a pure function of what Twilio told, in whatever order it arrived.

https://www.twilio.com/docs/voice/twiml/conference#attributes-statusCallbackEvent
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter

from voice.models import END, JOIN, LEAVE, MUTE, UNMUTE

COMES_BACK = timedelta(seconds=30)
"""So long who has stepped out, into the menu of their keypad, is still on the call."""
STEP_OUT = "step-out"


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    """One stored event. Its number is unique in its conference: Twilio counts from 1, in the order things happened."""

    sequence_number: int
    kind: str
    call_sid: str
    muted: bool = False
    """Of a join: whether the leg was let in muted."""
    stepped_out_at: datetime | None = None
    """Of a leave: when it was, where the leg's call goes on in a menu."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What Twilio said when it was asked about a leg. It counts as if told between event `after` and the next one."""

    after: int
    call_sid: str
    on: bool


@dataclass(frozen=True, slots=True)
class SteppedOut:
    """That a leg has come to its menu, known by what Twilio asked there. It counts as if told between event `after` and
    the next one; the leave that belongs to it may be either."""

    after: int
    call_sid: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known without a number. Completed wins over any event."""

    completed_calls: frozenset[str] = frozenset()
    conference_completed: bool = False
    sightings: tuple[Sighting, ...] = ()
    stepped_out: tuple[SteppedOut, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    on: frozenset[str]
    """The CallSids of those who have joined and not left."""
    ended: bool
    out: frozenset[tuple[str, datetime]] = frozenset()
    """Those who have stepped out and not come back, with when they did: their calls go on."""

    def here(self, now: datetime) -> frozenset[str]:
        """Who is on the call as others see it: also who has stepped out a moment ago."""
        return self.on | {sid for sid, since in self.out if now < since + COMES_BACK}


def fold(events: Iterable[NumberedEvent], facts: Facts) -> State:
    """The state after all events, in the order of their numbers. After `conference-end` nothing reopens it.

    No leg's events tell of another leg: of some legs the state follows from their events, and from the ends, alone.
    """
    told = [(event.sequence_number, 0, event.kind, event.call_sid, event.stepped_out_at) for event in events]
    told += [(seen.after, 1, JOIN if seen.on else LEAVE, seen.call_sid, None) for seen in facts.sightings]
    told += [(step.after, 2, STEP_OUT, step.call_sid, step.at) for step in facts.stepped_out]
    on: set[str] = set()
    out: dict[str, datetime] = {}
    ended = False
    for _, _, kind, call_sid, at in sorted(told, key=itemgetter(0, 1, 2, 3)):
        if kind == STEP_OUT and at:
            step_out(call_sid, at, on, out)
        elif kind == END:
            ended = True
        elif not ended:
            move(kind, call_sid, at, on, out)
    ended = ended or facts.conference_completed
    return State(
        on=frozenset() if ended else frozenset(on - facts.completed_calls),
        ended=ended,
        out=frozenset((sid, since) for sid, since in out.items() if sid not in facts.completed_calls),
    )


def move(kind: str, call_sid: str, at: datetime | None, on: set[str], out: dict[str, datetime]) -> None:
    if kind == JOIN:
        on.add(call_sid)
        out.pop(call_sid, None)
    elif kind == LEAVE and at and (call_sid in on or call_sid in out):
        step_out(call_sid, at, on, out)
    elif kind == LEAVE:  # who is out stays out: they have left already
        on.discard(call_sid)


def step_out(call_sid: str, at: datetime, on: set[str], out: dict[str, datetime]) -> None:
    on.discard(call_sid)
    out[call_sid] = min(out.get(call_sid, at), at)


@dataclass(frozen=True, slots=True)
class MutedTold:
    """What Twilio said of a leg when it was asked, or told to mute it: between event `after` and the next one."""

    after: int
    muted: bool


def is_muted(events: Iterable[NumberedEvent], told: MutedTold | None = None) -> bool:
    """Whether a leg is muted: its last event says so, or what Twilio said after that. Nobody is, who has not joined."""
    said = [(event.sequence_number, 0, mutes(event)) for event in events if event.kind in SAYS_WHETHER_MUTED]
    if told:
        said.append((told.after, 1, told.muted))
    return max(said, default=(0, 0, False))[2]


SAYS_WHETHER_MUTED = (JOIN, MUTE, UNMUTE)
"""Not a leave: who steps out is muted as before, and of who has gone nobody asks."""


def mutes(event: NumberedEvent) -> bool:
    return event.kind == MUTE or (event.kind == JOIN and event.muted)
