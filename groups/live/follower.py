"""What one client is owed: the events between what it knows and what is so, each with the place after it."""

from collections.abc import Iterator
from typing import NamedTuple

from core.streams import Opening
from groups.live import places
from groups.live.places import NOTHING, NOWHERE, Mark, Place
from groups.live.states import CAPTION, GroupState, PersonState
from groups.live.watch import Changes, Watch

OLDEST = 3600
"""Seconds. From an older place nobody goes on."""
AHEAD = 300
"""Seconds that another machine's clock may be ahead."""


class Owed(NamedTuple):
    """An event of a group, and what a client knows of the group when it has come."""

    name: str
    data: bytes
    mark: Mark


class Follower:
    """Of one stream. What it knows is the place up to which it has been told."""

    def __init__(self, opening: Opening) -> None:
        self.person, self.sign_in, self.narrowed = opening.person, opening.sign_in, opening.groups
        self.place = opening.place
        self.digest = NOTHING
        self.marks: dict[int, Mark] = {}
        self.is_over = False
        """Whether nothing may be told any more: the person is gone, disabled, or signs in otherwise."""

    def resumes_at(self, now: float) -> Place | None:
        """The place that it came with, where it is one of this person's, and of the last hour."""
        try:
            place = places.read(self.place or "")
        except ValueError:
            return None
        is_young = now - OLDEST <= place.made_at <= now + AHEAD
        return place if is_young and place.person == (self.person or 0) else None

    def begin(self, watch: Watch, changes: Changes, now: float) -> Iterator[bytes]:
        """`ready`, and what it missed; `reset` where nobody can tell what that is."""
        if not self.may_follow(watch):
            return
        place = self.resumes_at(now)
        if place is not None and self.can_go_on(place, watch, changes):
            self.digest, self.marks = place.digest, dict(place.marks)
            yield self.event("ready", b"{}", now)
            yield from self.tell(watch, changes, now)
            return
        if self.place:
            yield written("ready", b"{}", NOWHERE)
            yield from self.reset(watch, now)
            return
        self.know_all(watch)
        yield self.event("ready", b"{}", now)

    def can_go_on(self, place: Place, watch: Watch, changes: Changes) -> bool:
        """Whether what it missed is there to be told, and it knows of nothing that has not happened."""
        seen = [(mark, watch.groups[pk], pk) for pk, mark in place.marks.items() if pk in self.sees(watch)]
        return all(
            not is_behind(state.mark, mark) and not (is_behind(mark, state.mark) and changes.too_many(pk))
            for mark, state, pk in seen
        )

    def is_touched_by(self, changes: Changes) -> bool:
        return self.person in changes.people or not changes.groups.keys().isdisjoint(self.marks)

    def go_on(self, watch: Watch, changes: Changes, now: float) -> Iterator[bytes]:
        """What has changed since."""
        if not self.may_follow(watch):
            return
        followed = changes.groups.keys() & self.marks.keys()
        if all(self.can_tell(pk, watch, changes) for pk in followed):
            yield from self.tell(watch, changes, now)
        else:
            yield from self.reset(watch, now)

    def can_tell(self, pk: int, watch: Watch, changes: Changes) -> bool:
        """Not where activities or captions were lost with a database, or too many came at once."""
        state = watch.groups.get(pk)
        is_back = state is not None and is_behind(state.mark, self.marks[pk])
        return not is_back and not changes.too_many(pk)

    def may_follow(self, watch: Watch) -> bool:
        if self.person is not None:
            person = watch.people.get(self.person)
            is_signed_in = self.sign_in is None or (person and person.is_active and person.sign_in == self.sign_in)
            self.is_over = not person or not is_signed_in
        return not self.is_over

    def sees(self, watch: Watch) -> frozenset[int]:
        """The groups that are theirs at this moment, and of those the ones that they asked for."""
        person = watch.people[self.person] if self.person is not None else None
        if self.narrowed is None:
            return person.groups & watch.groups.keys() if person else frozenset()
        if person is None or (person.is_staff and self.sign_in):
            return self.narrowed & watch.groups.keys()
        return self.narrowed & person.groups & watch.groups.keys()

    def hears(self, watch: Watch) -> frozenset[int]:
        """Of these, the groups whose captions they may read: who is invited is not in the conversation yet."""
        person = watch.people[self.person] if self.person is not None else None
        if person is None or (self.narrowed is not None and person.is_staff and self.sign_in):
            return self.sees(watch)
        return person.talks

    def know_all(self, watch: Watch) -> None:
        self.marks = {pk: watch.groups[pk].mark for pk in sorted(self.sees(watch))}
        if self.person is not None:
            self.digest = watch.people[self.person].digest

    def reset(self, watch: Watch, now: float) -> Iterator[bytes]:
        self.know_all(watch)
        yield self.event("reset", b"{}", now)

    def tell(self, watch: Watch, changes: Changes, now: float) -> Iterator[bytes]:
        if self.person is not None:
            yield from self.tell_of_person(watch.people[self.person], changes.people_before.get(self.person), now)
        sees, hears = self.sees(watch), self.hears(watch)
        for pk in sorted(self.marks.keys() - sees):
            del self.marks[pk]
            yield self.event("group", b'{"groupId":%d,"group":null}' % pk, now)
        for pk in sorted(sees):
            mark, state = self.marks.get(pk), watch.groups[pk]
            if mark != state.mark:
                for owed in owed_of(mark, state, changes, pk, hears=pk in hears):
                    self.marks[pk] = owed.mark
                    yield self.event(owed.name, owed.data, now)
                self.marks[pk] = state.mark

    def tell_of_person(self, state: PersonState, before: PersonState | None, now: float) -> Iterator[bytes]:
        """The new digest goes with the last event: whoever has lost that one is told all of them again."""
        if self.digest == state.digest:
            return
        known = before if before is not None and before.digest == self.digest else None
        names = [name for name in state.told if known is None or known.told[name] != state.told[name]]
        for name in names:
            if name == names[-1]:
                self.digest = state.digest
            yield self.event(name, state.told[name], now)

    def event(self, name: str, data: bytes, now: float) -> bytes:
        return written(name, data, places.written(now, self.person, self.digest, self.marks))


def is_behind(mark: Mark, other: Mark) -> bool:
    return mark.number < other.number or mark.caption < other.caption


def owed_of(mark: Mark | None, state: GroupState, changes: Changes, pk: int, *, hears: bool) -> list[Owed]:
    """Of a group: the activities and the captions one by one, and of the rest the newest.

    A group that is new to its client is told whole. The new digest goes with the last event: whoever has lost that one
    is told all of the group's state again, and no activity twice.
    """
    if mark is None:
        mark = state.mark._replace(digest=NOTHING)
    owed = [
        Owed("activity", data, mark._replace(number=number))
        for number, data in changes.activities.get(pk, [])
        if mark.number < number <= state.mark.number
    ]
    owed += [
        Owed(CAPTION, data, Mark(state.mark.number, mark.digest, number))
        for number, data in changes.captions.get(pk, [])
        if hears and mark.caption < number <= state.mark.caption
    ]
    if mark.digest != state.mark.digest:
        before = changes.before.get(pk)
        known = before if before is not None and before.mark.digest == mark.digest else None
        owed += [
            Owed(name.partition(":")[0], data, state.mark._replace(digest=mark.digest))
            for name, data in state.told.items()
            if (known is None or known.told.get(name) != data) and (hears or not says(name))
        ]
        if owed:  # of rings that are forgotten nothing is told
            owed[-1] = owed[-1]._replace(mark=state.mark)
    return owed


def says(name: str) -> bool:
    """Whether it tells what somebody is saying."""
    return name.startswith(f"{CAPTION}:")


def written(name: str, data: bytes, place: str) -> bytes:
    """https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation"""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (place.encode(), name.encode(), data)
