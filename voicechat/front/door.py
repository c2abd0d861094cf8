"""Polls, answered before Django from what it answered before, where the database says that it would be the same.

The database is asked with every poll, of many at once: may this caller see it at this moment, and has anything in it
changed? Everything else is Django's, untouched: first polls, other requests, refusals, a database that does not answer.
So there is one source for each answer, and nothing to keep in step.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from time import perf_counter
from typing import Any, NamedTuple

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from core.metrics.counted import counted
from core.metrics.families import POLLS, STREAMS
from core.preconditions import is_named
from core.shown import KEY, Shown
from core.streams import OPENING, SEATS, Opening
from groups.versions import Answer as Said
from groups.versions import Poll as Question
from groups.versions import right_of
from users.callers import Everybody, is_whole_for
from voicechat.front.bridge import ENDING, STAYING, Bridge, Headers, environ_of, send, written
from voicechat.front.counts import counts
from voicechat.front.lines import Line, line
from voicechat.front.polls import MOST_BYTES_OF_ONE, Answer, Kept, Key, Poll, Shelf, Start, plain_poll
from voicechat.front.streams import Streams
from voicechat.request_log import LOGGED_IN_FRONT, answered_line

STREAM = (b"/api/live", b"/api/live/")
ONLY_ON_200 = (b"content-type", b"content-length", b"allow")
TAILS = {True: b"\r\n" + written(STAYING) + b"\r\n", False: b"\r\n" + written(ENDING) + b"\r\n"}
"""By whether the connection stays open: what follows on the request's id."""


class Wanted(NamedTuple):
    """An answer that Django is being asked for."""

    key: Key
    is_whole: bool | None
    stamp: str


class Door:
    def __init__(self, bridge: Bridge, line: Line) -> None:
        self.bridge, self.line = bridge, line
        self.streams = Streams()
        self.shelf = Shelf()
        line.forget = self.shelf.clear
        self.building: dict[Wanted, list[tuple[Poll, Said]]] = {}
        """Who else waits for it."""
        self.lines: list[str] = []
        for way in ("kept", "made", "passed"):
            counted.elsewhere[POLLS, way] = partial(getattr, counts, way)
        counted.gauges[STREAMS] = lambda: sum(self.streams.seats.taken.values())
        self.is_logged = logging.getLogger("voicechat.requests").isEnabledFor(logging.INFO)

    @property
    def is_leaving(self) -> bool:
        return self.bridge.is_leaving

    def leave(self) -> None:
        """Streams end at once; who polls is told with the next answer that it is the last on this connection."""
        self.bridge.leave()
        self.streams.end()

    def take(self, cycle: RequestResponseCycle, start: Start) -> None:
        """Answers the request; `start` runs a coroutine of it as a task."""
        if cycle.scope["raw_path"] in STREAM and cycle.scope["method"] == "GET":
            start(self.stream(cycle), is_counted=False)  # those of a worker that ends all come again, to the next one
            return
        poll = plain_poll(cycle, start)
        if poll is None:
            start(self.bridge(cycle))
        elif kept := self.shelf.get(poll.key):
            self.line.ask(question(poll, kept.shown), partial(self.heard, poll, kept))
        else:
            start(self.pass_on(poll))

    async def stream(self, cycle: RequestResponseCycle) -> None:
        """Django says who may follow what, or why not. Whom it lets in has the head of its answer, and then events."""
        environ = environ_of(cycle)
        environ[SEATS] = self.streams.seats
        answer = await self.bridge.hear_out(cycle, environ)
        opening: Opening | None = environ.get(OPENING)
        if opening is not None and answer is not None:
            await self.streams.serve(cycle, *answer[:2], opening)
        elif answer is not None:
            await send(cycle, answer)

    def heard(self, poll: Poll, kept: Kept, said: Said | None) -> None:
        if said is None or not said.is_allowed:
            poll.start(self.pass_on(poll))
            return
        is_whole = None if kept.shown.is_whole is None else is_whole_for(said, kept.shown.of)
        answer = kept.answers.get(is_whole)
        if answer is not None and answer.stamp == said.state:
            counts.kept += 1
            self.give(poll, said, kept.shown, answer)
            return
        wanted = Wanted(poll.key, is_whole, said.state)
        if (others := self.building.get(wanted)) is not None:
            others.append((poll, said))
        else:
            self.building[wanted] = []
            poll.start(self.build(poll, said, wanted, kept.shown.route))

    async def pass_on(self, poll: Poll) -> None:
        """To Django, untouched. What its answer shows is noted: the next poll of the kind can be asked about."""
        counts.passed += 1
        environ = environ_of(poll.cycle)
        await self.bridge.serve(poll.cycle, environ)
        if (shown := environ.get(KEY)) is not None:
            self.shelf.note(poll.key, shown)

    async def build(self, poll: Poll, said: Said, wanted: Wanted, route: str) -> None:
        """Has Django answer, after the database has told the state: what is newer than that costs one more build."""
        counts.made += 1
        environ = environ_of(poll.cycle)
        environ.pop("HTTP_IF_NONE_MATCH", None)
        environ["HTTP_X_REQUEST_ID"] = poll.request_id
        environ[LOGGED_IN_FRONT] = True
        kept = None
        try:
            answer = await self.bridge.ask(poll.cycle, environ)
            shown: Shown | None = environ.get(KEY)
            if answer and answer[0] == HTTPStatus.OK and shown:
                made = made_of(said.state, *answer[1:])
                kept = self.keep(wanted, shown, made)
                self.give(poll, said, shown, made)
            elif answer:  # refused in between
                await send(poll.cycle, answer)
                self.log(poll, said, route, answer[0])
        finally:
            for other, said_then in self.building.pop(wanted):
                if kept:
                    self.give(other, said_then, kept.shown, kept.answers[wanted.is_whole])
                else:
                    other.start(self.pass_on(other))

    def keep(self, wanted: Wanted, shown: Shown, answer: Answer) -> Kept | None:
        """Only where it shows what the database was asked about, in the form that its caller was to have."""
        before = self.shelf.get(wanted.key)
        self.shelf.note(wanted.key, shown)
        kept = self.shelf.get(wanted.key)
        if kept is None or kept is not before or shown.is_whole != wanted.is_whole or answer.size > MOST_BYTES_OF_ONE:
            return None
        self.shelf.add(wanted.key, answer, is_whole=wanted.is_whole)
        return kept

    def give(self, poll: Poll, said: Said, shown: Shown, answer: Answer) -> None:
        is_known = poll.known is not None and is_named(answer.etag, poll.known)
        cycle = poll.cycle
        if not cycle.disconnected:
            cycle.transport.write(
                b"".join(
                    (
                        STATUS_LINE[304 if is_known else 200],
                        written(cycle.default_headers),
                        answer.head_of_304 if is_known else answer.head,
                        b"x-request-id: ",
                        poll.request_id.encode(),
                        TAILS[cycle.keep_alive],
                        b"" if is_known else answer.body,
                    )
                )
            )
            if not cycle.keep_alive:
                cycle.transport.close()
        cycle.response_started = cycle.response_complete = True
        self.log(poll, said, shown.route, 304 if is_known else 200)
        cycle.on_response()

    def log(self, poll: Poll, said: Said, route: str, status: int) -> None:
        """The line that each request has, written with the others of this turn of the loop."""
        seconds = perf_counter() - poll.begun
        counted.answered("GET", route, status, seconds)
        if not self.is_logged:
            return
        if not self.lines:
            asyncio.get_running_loop().call_soon(self.write_lines)
        self.lines.append(answered_line(poll.request_id, route, status, 1000 * seconds, said.pk))

    def write_lines(self) -> None:
        lines, self.lines = self.lines, []
        with suppress(OSError, ValueError):  # where standard error goes may be full, or closed
            sys.stderr.write("".join(lines))
            sys.stderr.flush()


def question(poll: Poll, shown: Shown) -> Question:
    right = right_of(shown.view, shown.action)
    return Question(poll.identity or Everybody(), right, shown.of, shown.groups, shown.people, shown.parts_of)


def made_of(stamp: str, headers: Headers, body: bytes) -> Answer:
    told = [pair for pair in headers if pair[0] != b"x-request-id"]  # it is the last one, and written anew
    return Answer(
        stamp,
        dict(headers)[b"etag"].decode(),
        written(told),
        written([pair for pair in told if pair[0] not in ONLY_ON_200]),
        body,
    )


def front(application: Callable[..., Any], threads: int) -> Door | Bridge:
    """What a worker serves: the application in so many threads, and before it the door."""
    bridge, to_database = Bridge(application, threads), line()
    return Door(bridge, to_database) if to_database else bridge
