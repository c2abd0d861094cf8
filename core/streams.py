"""What the view of a stream and whoever holds its connection say to each other, in the request's environ.

A view lets somebody in, and says what is to be followed. The stream itself is the front's: one that stands on an event
loop, and takes no thread.
"""

from collections import Counter
from threading import Lock
from typing import NamedTuple

SEATS = "voicechat.seats"
"""Where the front's `Seats` stand. Without them the answer is all that its client gets: nobody would go on with it."""
OPENING = "voicechat.opening"
"""Where the view puts its `Opening`: the front takes the answer's head, and goes on."""
MOST_OF_ONE = 20
"""Streams that one person, or in open mode one address, may have open in a process."""


class Opening(NamedTuple):
    """What a stream shows, and to whom."""

    person: int | None
    """Through whose eyes; None in open mode, where groups alone are named."""
    sign_in: tuple[str, str] | None
    """The issuer and the subject by which they signed in; None in open mode, where nobody is asked."""
    groups: frozenset[int] | None
    """Of no others; None for all of the person's."""
    place: str | None
    """The id of the last event that its client has."""
    until: float
    """Seconds since 1970: when the token ends."""
    seat: str
    """Whose seat it takes."""


class Seats:
    """How many streams each has open. Taken in threads, given back on the loop."""

    def __init__(self, most: int = MOST_OF_ONE) -> None:
        self.most = most
        self.lock = Lock()
        self.taken: Counter[str] = Counter()

    def take(self, who: str) -> bool:
        """Whether there was one."""
        with self.lock:
            if self.taken[who] >= self.most:
                return False
            self.taken[who] += 1
            return True

    def give_back(self, who: str) -> None:
        with self.lock:
            self.taken[who] -= 1
            if not self.taken[who]:
                del self.taken[who]
