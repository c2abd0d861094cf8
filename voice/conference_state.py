"""Who is on a conference: a pure function of what Twilio told, in whatever order it arrived.

https://www.twilio.com/docs/voice/twiml/conference#attributes-statusCallbackEvent
"""

from collections.abc import Iterable
from dataclasses import dataclass

JOIN = "participant-join"
LEAVE = "participant-leave"
END = "conference-end"


@dataclass(frozen=True, slots=True)
class Event:
    """One stored event. Its number is unique in its conference: Twilio counts from 1, in the order things happened."""

    sequence_number: int
    kind: str
    call_sid: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known without a number. Completed wins over any event."""

    completed_calls: frozenset[str] = frozenset()
    conference_completed: bool = False


@dataclass(frozen=True, slots=True)
class State:
    on: frozenset[str]
    """The CallSids of those who have joined and not left."""
    ended: bool


def fold(events: Iterable[Event], facts: Facts) -> State:
    """The state after all events, in the order of their numbers. After `conference-end` nothing reopens it."""
    on: set[str] = set()
    for event in sorted(events, key=lambda each: each.sequence_number):
        if event.kind == END:
            return State(on=frozenset(), ended=True)
        if event.kind == JOIN:
            on.add(event.call_sid)
        elif event.kind == LEAVE:
            on.discard(event.call_sid)
    if facts.conference_completed:
        return State(on=frozenset(), ended=True)
    return State(on=frozenset(on - facts.completed_calls), ended=False)
