"""A stream's answer where nobody can go on with it: under a bare WSGI server, or on a database in one process's memory.

It says what was missed, and ends: its client comes again, and polls by that.
"""

from core.streams import Opening
from groups.live.follower import Follower
from groups.live.watch import Watch

AGAIN_AFTER = 2000
"""Milliseconds. https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream"""


def told_once(opening: Opening, now: float) -> bytes:
    watch, follower = Watch(), Follower(opening)
    people = set() if opening.person is None else {opening.person}
    place = follower.resumes_at(now)
    known = place.marks if place else {}
    changes = watch.look(people, opening.groups or frozenset(), known)
    events = b"".join(follower.begin(watch, changes, now)) if changes else b""
    return b"retry: %d\n\n" % AGAIN_AFTER + events
