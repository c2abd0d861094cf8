"""From where a client goes on: the id of an event, https://html.spec.whatwg.org/multipage/server-sent-events.html

It says of each group up to which activity and caption its client has them all, and of which state it knows. So any
process can go on from it, and none has to remember its clients. It is no secret and opens nothing: who may see what is
asked anew.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from core.base64url import decoded, encoded

FORM = 2
"""Of what follows. Another one cannot be read."""
DIGEST = 6
"""Bytes. Two states of one thing have the same by a chance of 2**-48."""
LONGEST = 3 * 1024
"""Letters: about 200 groups. With more of them a place says nothing."""
NOWHERE = "0"
"""A place from which nobody can go on: all must be read again."""
NOTHING = bytes(DIGEST)
"""In a digest's stead, of a state that its client does not know."""


class Mark(NamedTuple):
    """Up to where a client knows a group."""

    number: int
    """It has the activities up to this number."""
    digest: bytes
    """Of the state that it has."""
    caption: int = 0
    """It has the captions up to this number."""


def oldest(mark: Mark, other: Mark) -> Mark:
    """Up to where both are known. The digest says nothing any more."""
    return Mark(min(mark.number, other.number), mark.digest, min(mark.caption, other.caption))


class Place(NamedTuple):
    made_at: int
    """Seconds since 1970."""
    person: int
    """Whose it is; 0 for nobody's."""
    digest: bytes
    """Of the person's own state."""
    marks: dict[int, Mark]


def digest_of(parts: Iterable[bytes]) -> bytes:
    made = blake2b(digest_size=DIGEST)
    for part in parts:
        made.update(part)
        made.update(b"\0")
    return made.digest()


def written(made_at: float, person: int | None, digest: bytes, marks: Mapping[int, Mark]) -> str:
    head = bytes((FORM,)) + int(made_at).to_bytes(5) + whole(person or 0) + digest
    text = encoded(head + b"".join(mark_of(*each) for each in marks.items()))
    return text if len(text) <= LONGEST else NOWHERE


@lru_cache(2**14)
def mark_of(group: int, mark: Mark) -> bytes:
    """The same for all who follow the group."""
    return whole(group) + whole(mark.number) + mark.digest + whole(mark.caption)


def whole(number: int) -> bytes:
    """How many bytes, and these."""
    made = number.to_bytes((number.bit_length() + 7) // 8)
    return bytes((len(made),)) + made


def read(text: str) -> Place:
    """Raises ValueError for whatever `written` has not made, and for NOWHERE."""
    if len(text) > LONGEST:
        raise ValueError
    rest = Bytes(decoded(text))
    if encoded(rest.data) != text or rest.take(1) != bytes((FORM,)):
        raise ValueError
    made_at, person, digest = int.from_bytes(rest.take(5)), rest.whole(), rest.take(DIGEST)
    marks: dict[int, Mark] = {}
    while rest.are_left:
        group, mark = rest.whole(), Mark(rest.whole(), rest.take(DIGEST), rest.whole())
        if group in marks:
            raise ValueError
        marks[group] = mark
    return Place(made_at, person, digest, marks)


class Bytes:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    @property
    def are_left(self) -> bool:
        return self.at < len(self.data)

    def take(self, many: int) -> bytes:
        taken = self.data[self.at : self.at + many]
        if len(taken) < many:
            raise ValueError
        self.at += many
        return taken

    def whole(self) -> int:
        number = int.from_bytes(self.take(self.take(1)[0]))
        if number >= 2**63:
            raise ValueError
        return number
