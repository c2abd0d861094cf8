"""Who is on a conference: a pure function of what Twilio told, in whatever order it arrived.

https://www.twilio.com/docs/voice/twiml/conference#attributes-statusCallbackEvent
"""

from collections.abc import Iterable
from dataclasses import dataclass

from voice.models import END, JOIN, LEAVE, MUTE, UNMUTE


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    """One stored event. Its number is unique in its conference: Twilio counts from 1, in the order things happened."""

    sequence_number: int
    kind: str
    call_sid: str
    muted: bool = False
    """Of a join: whether the leg was let in muted."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What Twilio said when it was asked about a leg. It counts as if told between event `after` and the next one."""

    after: int
    call_sid: str
    on: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known without a number. Completed wins over any event."""

    completed_calls: frozenset[str] = frozenset()
    conference_completed: bool = False
    sightings: tuple[Sighting, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    on: frozenset[str]
    """The CallSids of those who have joined and not left."""
    ended: bool


def fold(events: Iterable[NumberedEvent], facts: Facts) -> State:
    """The state after all events, in the order of their numbers. After `conference-end` nothing reopens it.

    No leg's events tell of another leg: of some legs the state follows from their events, and from the ends, alone.
    """
    told = [(event.sequence_number, 0, event.kind, event.call_sid) for event in events]
    told += [(seen.after, 1, JOIN if seen.on else LEAVE, seen.call_sid) for seen in facts.sightings]
    on: set[str] = set()
    for _, _, kind, call_sid in sorted(told):
        if kind == END:
            return State(on=frozenset(), ended=True)
        if kind == JOIN:
            on.add(call_sid)
        elif kind == LEAVE:
            on.discard(call_sid)
    if facts.conference_completed:
        return State(on=frozenset(), ended=True)
    return State(on=frozenset(on - facts.completed_calls), ended=False)


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


SAYS_WHETHER_MUTED = (JOIN, LEAVE, MUTE, UNMUTE)


def mutes(event: NumberedEvent) -> bool:
    return event.kind == MUTE or (event.kind == JOIN and event.muted)
