"""What is a plain poll, and what is kept of its answers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, NamedTuple, Protocol
from uuid import uuid4

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from core.shown import Shown
from users.callers import Identity
from users.sign_in.remembered import remembered
from voicechat.request_log import REQUEST_ID

MOST_BYTES = 64 * 1024 * 1024
"""Of all answers that a process keeps. Those that were asked for longest ago go first."""
MOST_BYTES_OF_ONE = 1024 * 1024
OF_EACH, OF_AN_ID = 1536, 40
"""Bytes that Python takes for all else that is kept of one, and for each id of what it shows, as tracemalloc says."""
WITHOUT_EFFECT = {
    *(b"accept-encoding", b"accept-language", b"cache-control", b"connection", b"cookie", b"dnt", b"pragma"),
    *(b"priority", b"referer", b"save-data", b"traceparent", b"tracestate", b"user-agent", b"via"),
    *(b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-port", b"x-real-ip", b"x-requested-with"),
    *(b"x-amzn-trace-id", b"x-cloud-trace-context", b"x-request-start"),
}
"""Request headers that no answer to a poll depends on; those of `sec-…` neither."""
IN_THE_KEY = {b"accept": 0, b"host": 1, b"origin": 2, b"x-forwarded-proto": 3}
"""Request headers on which the answer may depend, whoever asks: each combination has an answer of its own."""

Key = tuple[bytes, ...]


class Start(Protocol):
    """Runs a coroutine of a request as its task."""

    def __call__(self, work: Coroutine[Any, Any, None], *, is_counted: bool = True) -> None:
        """Unless `is_counted` it is none of the requests after which the worker is replaced."""


@dataclass(slots=True)
class Poll:
    """A GET of nothing but a path. It is told from any other by its headers, all of which must be known here."""

    cycle: RequestResponseCycle
    start: Start
    key: Key
    identity: Identity | None
    """Who asks, by a token that was verified before; None in open mode."""
    known: str | None
    """Its If-None-Match."""
    request_id: str
    begun: float = field(default_factory=perf_counter)


def plain_poll(cycle: RequestResponseCycle, start: Start) -> Poll | None:
    """The request as a poll; None where it is anything else, or its token has not been verified yet."""
    scope = cycle.scope
    if scope["method"] != "GET" or scope["query_string"]:
        return None
    named: list[bytes] = [b"", b"", b"", b"", scope["raw_path"]]
    token = known = request_id = b""
    for name, value in scope["headers"]:
        if name in WITHOUT_EFFECT or name.startswith(b"sec-"):
            continue
        place = IN_THE_KEY.get(name)
        if place is not None and not named[place]:
            named[place] = value
        elif name == b"authorization" and not token and value.startswith(b"Bearer "):
            token = value[7:]
        elif name == b"if-none-match" and not known:
            known = value
        elif name == b"x-request-id" and not request_id:
            request_id = value
        else:
            return None
    identity = None
    if not settings.OPEN_MODE:
        identity = remembered.identity(token)
        if identity is None:
            return None
    given = request_id.decode("latin-1")
    name_of_it = given if REQUEST_ID.fullmatch(given) else uuid4().hex
    return Poll(cycle, start, tuple(named), identity, known.decode("latin-1") or None, name_of_it)


class Answer(NamedTuple):
    """What Django answered by 200, as it goes out but for the date, the request's id and the connection."""

    stamp: str
    """The versions of all that it shows, read before it was made."""
    etag: str
    head: bytes
    head_of_304: bytes
    body: bytes

    @property
    def size(self) -> int:
        return len(self.head) + len(self.head_of_304) + len(self.body)


@dataclass
class Kept:
    """Of one key: what its answers show, and the answers, whole or as others are shown a person."""

    shown: Shown
    answers: dict[bool | None, Answer] = field(default_factory=dict)
    counted: int = 0
    """Bytes, as they were counted last."""

    @property
    def size(self) -> int:
        ids = len(self.shown.groups) + len(self.shown.people)
        return OF_EACH + OF_AN_ID * ids + sum(answer.size for answer in self.answers.values())


class Shelf:
    """What is kept, up to so many bytes."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most, self.bytes = most, 0
        self.kept: OrderedDict[Key, Kept] = OrderedDict()

    def get(self, key: Key) -> Kept | None:
        found = self.kept.get(key)
        if found is not None:
            self.kept.move_to_end(key)
        return found

    def note(self, key: Key, shown: Shown) -> None:
        """That this is what the key's answers show. Those that showed something else go."""
        if (found := self.kept.get(key)) is None or not is_alike(found.shown, shown):
            self.put(key, Kept(shown))

    def add(self, key: Key, answer: Answer, *, is_whole: bool | None) -> None:
        """To what is noted of the key."""
        kept = self.kept[key]
        kept.answers[is_whole] = answer
        self.put(key, kept)

    def put(self, key: Key, kept: Kept) -> None:
        self.drop(key)
        self.kept[key] = kept
        kept.counted = kept.size
        self.bytes += kept.counted
        while self.bytes > self.most:
            self.drop(next(iter(self.kept)))

    def drop(self, key: Key) -> None:
        if (old := self.kept.pop(key, None)) is not None:
            self.bytes -= old.counted

    def clear(self) -> None:
        self.kept.clear()
        self.bytes = 0


def is_alike(one: Shown, other: Shown) -> bool:
    """Whether both are made of the same rows, whole or not."""
    return one._replace(is_whole=None) == other._replace(is_whole=None)
