"""What happens at Twilio in one storm: who talks with whom and when. Made from a seed, the same each time."""

import random
from dataclasses import dataclass, field

HORIZON = 1_000.0
"""How long the story is, in its own seconds."""
STILL_RUNNING, SECOND_DEVICE, NAMELESS, LEFT_EARLY = 0.25, 0.25, 0.03, 0.5
PEOPLE_A_GROUP, GROUPS_OF_A_PERSON = 10, 3
WITHIN = ("participant-mute", "participant-unmute", "participant-hold", "participant-unhold")
COMPLETED = "completed"


def members(group: int, groups: int) -> list[int]:
    """The ids of a group's people, the owner first. Each is in about three groups, so that some are on two calls."""
    pool = range(1, people_in_all(groups) + 1)
    return random.Random(group).sample(pool, PEOPLE_A_GROUP)


def people_in_all(groups: int) -> int:
    return max(PEOPLE_A_GROUP, groups * PEOPLE_A_GROUP // GROUPS_OF_A_PERSON)


@dataclass(frozen=True)
class Leg:
    """One phone in one conference. `left` is None while it is on."""

    sid: str
    person: int | None
    joined: float
    left: float | None
    duration: int


@dataclass(frozen=True)
class Callback:
    """Something that Twilio tells: about a conference where it has a number, else that a leg's call is completed."""

    at: float
    kind: str
    conference: str
    group: int
    number: int | None
    leg: Leg | None


Fact = Callback | Leg
"""What a server can know: that something was told, and whose leg it is, which the leg's makeCall says."""


@dataclass
class Conference:
    sid: str
    group: int
    legs: list[Leg]
    ended: bool
    callbacks: list[Callback] = field(default_factory=list)


@dataclass(frozen=True)
class Story:
    groups: int
    conferences: list[Conference]

    @classmethod
    def of(cls, seed: int, conferences: int, events: int) -> "Story":
        """`events` are shared out evenly among the conferences, call status callbacks among them."""
        author, groups = Author(seed), (conferences + 1) // 2
        each = events // conferences
        return cls(groups, [author.conference(index, index % groups + 1, groups, each) for index in range(conferences)])

    def callbacks(self) -> list[Callback]:
        return [callback for conference in self.conferences for callback in conference.callbacks]

    def facts(self) -> set[Fact]:
        """The whole truth."""
        return {*self.callbacks(), *(leg for conference in self.conferences for leg in conference.legs)}


class Author:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.sids = (seed << 64) + 1

    def sid(self, prefix: str) -> str:
        self.sids += 1
        return f"{prefix}{self.sids:032x}"

    def conference(self, index: int, group: int, groups: int, events: int) -> Conference:
        """Every fourth or so runs on at the end. The first leg holds the room: it comes first and goes last."""
        ended = self.chance.random() >= STILL_RUNNING
        length = self.chance.uniform(40, 110)  # played in less: no leg lasts longer than it can have, by the allowance
        begin = self.chance.uniform(0, HORIZON - length) if ended else HORIZON - length
        legs = [
            self.leg(person, begin, length, ended=ended, holds=place == 0)
            for place, person in enumerate(self.phones(group, groups, most=(events - 2) // 3))
        ]
        conference = Conference(self.sid("CF"), group, legs, ended)
        self.tell(conference, begin + length, events)
        return conference

    def phones(self, group: int, groups: int, most: int) -> list[int | None]:
        """Two to eight people; some have a second phone on the call, a few phones name nobody."""
        people = self.chance.sample(members(group, groups), self.chance.randint(2, 8))
        second = [person for person in people if self.chance.random() < SECOND_DEVICE]
        named = (people + second)[: max(2, most)]
        return [None if self.chance.random() < NAMELESS else person for person in named]

    def leg(self, person: int | None, begin: float, length: float, *, ended: bool, holds: bool) -> Leg:
        joined = begin if holds else begin + length * self.chance.uniform(0.01, 0.6)
        left: float | None = joined + (begin + length - joined) * self.chance.uniform(0.1, 0.95)
        if holds:
            left = begin + length
        if not ended and (holds or self.chance.random() >= LEFT_EARLY):
            left = None
        return Leg(self.sid("CA"), person, joined, left, round((left or HORIZON) - joined) + 1)

    def tell(self, conference: Conference, end: float, events: int) -> None:
        """Writes the conference's callbacks in the order in which they happened, numbered as Twilio numbers them."""
        legs = conference.legs
        told: list[tuple[float, str, Leg | None]] = [(leg.joined, "participant-join", leg) for leg in legs]
        told.append((sorted(leg.joined for leg in legs)[1] + 0.001, "conference-start", None))
        gone = [leg for leg in legs if leg.left is not None]
        told += [(leg.left or end, "participant-leave", leg) for leg in gone]
        if conference.ended:
            told.append((end + 0.001, "conference-end", None))
        for _ in range(events - len(told) - len(gone)):
            leg = self.chance.choice(legs)
            told.append((self.chance.uniform(leg.joined, leg.left or end), self.chance.choice(WITHIN), leg))
        told.sort(key=lambda one: one[0])
        conference.callbacks = [
            Callback(at, kind, conference.sid, conference.group, number, leg)
            for number, (at, kind, leg) in enumerate(told, 1)
        ]
        conference.callbacks += [
            Callback((leg.left or end) + 0.5, COMPLETED, conference.sid, conference.group, None, leg) for leg in gone
        ]
