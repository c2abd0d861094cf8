"""Streams: connections on which a client hears what changes. https://html.spec.whatwg.org/multipage/server-sent-events.html

One look at the database is for all of them, in a thread of its own: no stream waits for a vendor that holds up another
request. While nobody follows anything the database is not asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from random import Random
from time import time
from typing import Any

from django.db import connection
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from core.streams import Opening, Seats
from groups.live.follower import Follower
from groups.live.places import Mark, oldest
from groups.live.watch import Changes, Watch
from voicechat.front.bridge import ENDING, Headers, written

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.15
"""Between two looks at the database."""
FAULT_SECONDS = 1.0
"""Before the next look, after one that failed."""
TOGETHER_SECONDS = 0.02
"""In which those who come one after another wait for the same look."""
COMMENT_SECONDS = 20
LONGEST_SECONDS = (540.0, 600.0)
"""Of a stream. Not all that were opened at once end at once."""
AGAIN_AFTER = (500, 2500)
"""Milliseconds, drawn for each stream, after which its client is to come again."""
MOST_UNREAD = 256 * 1024
"""Bytes that wait for a client, beyond what the system's own buffers hold. Who has more of them unread when something
new comes is dropped."""
MOST_AT_ONCE = 1024 * 1024
"""Bytes that a client is told at once. Who missed more reads everything again."""
GONE_AFTER = 1.0
"""Seconds that the end of a stream may take to reach its client."""
COMMENT = b":\n\n"
NOT_OURS = (b"content-length", b"connection", b"keep-alive")
random = Random()  # noqa: S311  # jitter


def close_connection() -> None:
    """That of the thread that calls it: `connection.close` would be the one of who has named it."""
    connection.close()


class Stream:
    """One connection, and what its client knows."""

    def __init__(self, cycle: RequestResponseCycle, opening: Opening, now: float) -> None:
        self.cycle, self.seat = cycle, opening.seat
        self.follower = Follower(opening)
        self.asked = opening.groups or frozenset()
        self.until = min(opening.until, now + random.uniform(*LONGEST_SECONDS))
        self.comment_at = now + COMMENT_SECONDS
        self.is_chunked = cycle.scope["http_version"] == "1.1"

    @property
    def is_over(self) -> bool:
        return self.cycle.disconnected or self.cycle.response_complete

    def begin(self, status: int, headers: Headers) -> None:
        head = [pair for pair in headers if pair[0] not in NOT_OURS]
        if self.is_chunked:
            head.append((b"transfer-encoding", b"chunked"))
        lines = written([*self.cycle.default_headers, *head, *ENDING])
        self.cycle.transport.write(STATUS_LINE[status] + lines + b"\r\n")
        self.cycle.response_started, self.cycle.keep_alive = True, False
        self.cycle.more_body = True  # who closes their side is gone, as nobody is who waits for an answer
        self.send(b"retry: %d\n\n" % random.randint(*AGAIN_AFTER))

    def send(self, said: bytes) -> None:
        """Whole events. A client that has too many of the earlier ones unread is left: it comes again, and goes on.

        What is sent now does not count, or whoever missed much would be left again each time.
        """
        if self.is_over or not said:
            return
        if self.cycle.transport.get_write_buffer_size() > MOST_UNREAD:
            self.cycle.transport.abort()
            return
        self.cycle.transport.write(b"%x\r\n%s\r\n" % (len(said), said) if self.is_chunked else said)

    def comment(self, now: float) -> None:
        if now >= self.comment_at:
            self.comment_at = now + COMMENT_SECONDS
            self.send(COMMENT)

    def end(self) -> None:
        """Between two events: what is under way is sent to its end."""
        if not self.is_over:
            transport: Any = self.cycle.transport
            if self.is_chunked:
                transport.write(b"0\r\n\r\n")
            transport.close()
            asyncio.get_running_loop().call_later(GONE_AFTER, transport.abort)
            self.cycle.response_complete = True
            self.cycle.message_event.set()
            self.cycle.on_response()

    async def is_left(self) -> None:
        """Returns when it has ended, by whichever side."""
        while not self.is_over:
            self.cycle.message_event.clear()
            await self.cycle.message_event.wait()


class Streams:
    def __init__(self, thread: Executor | None = None) -> None:
        self.seats = Seats()
        self.watch = Watch()
        self.thread = thread or ThreadPoolExecutor(1, thread_name_prefix="live")
        self.open: set[Stream] = set()
        self.coming: list[Stream] = []
        """Those who have not been told where they are."""
        self.woken = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self.is_ending = False

    async def serve(self, cycle: RequestResponseCycle, status: int, headers: Headers, opening: Opening) -> None:
        """Until it ends."""
        try:
            if cycle.disconnected:
                return
            stream = Stream(cycle, opening, time())
            stream.begin(status, headers)
            if self.is_ending:
                stream.end()
                return
            self.coming.append(stream)
            self.woken.set()
            if self.task is None:
                self.task = asyncio.get_running_loop().create_task(self.go_on())
            await stream.is_left()
            self.open.discard(stream)
        finally:
            self.seats.give_back(opening.seat)

    async def go_on(self) -> None:
        """Looks, and tells, as long as anybody follows anything."""
        seconds = asyncio.get_running_loop().create_task(self.each_second())
        try:
            while self.open or self.coming:
                pause = PAUSE_SECONDS
                coming, self.coming = self.coming, []
                try:
                    changes = await self.look(coming)
                except Exception as error:  # whatever it is, they stay, and are told what they missed
                    logger.warning("Nobody is told what changes: the database failed: %s", type(error).__name__)
                    self.coming, pause = [*coming, *self.coming], FAULT_SECONDS
                    await self.in_thread(close_connection)
                else:
                    self.tell(changes, coming)
                if self.is_ending:  # those who were looked for meanwhile were nowhere to be ended
                    self.end()
                await self.pause(pause)
        finally:
            self.task = None
            seconds.cancel()
        await self.in_thread(close_connection)

    async def pause(self, seconds: float) -> None:
        self.woken.clear()
        await asyncio.sleep(TOGETHER_SECONDS)
        if not self.coming or seconds > PAUSE_SECONDS:
            try:
                async with asyncio.timeout(seconds - TOGETHER_SECONDS):
                    await self.woken.wait()
            except TimeoutError:
                pass

    async def look(self, coming: list[Stream]) -> Changes | None:
        followers = [stream.follower for stream in (*self.open, *coming)]
        people = {each.person for each in followers if each.person is not None}
        groups = frozenset().union(*(each.narrowed for each in followers if each.narrowed))
        known: dict[int, Mark] = {}
        for stream in coming:
            if place := stream.follower.resumes_at(time()):
                for group, mark in place.marks.items():
                    known[group] = oldest(mark, known.get(group, mark))
        look = partial(self.watch.look, people, groups, known, is_asked=bool(coming))
        changes: Changes | None = await self.in_thread(look)
        return changes

    async def in_thread(self, work: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.thread, work)

    def tell(self, changes: Changes | None, coming: Iterable[Stream]) -> None:
        if changes is None:
            return
        now = time()
        for stream in list(self.open):
            if stream.follower.is_touched_by(changes):
                self.tell_one(stream, stream.follower.go_on(self.watch, changes, now), now)
        for stream in coming:
            if not stream.is_over:
                self.open.add(stream)
                self.tell_one(stream, stream.follower.begin(self.watch, changes, now), now)

    def tell_one(self, stream: Stream, events: Iterable[bytes], now: float) -> None:
        said = bytearray()
        for event in events:
            said += event
            if len(said) > MOST_AT_ONCE:
                said += b"".join(stream.follower.reset(self.watch, now))
                break
        stream.send(bytes(said))
        if stream.follower.is_over:
            self.end_one(stream)

    def end_one(self, stream: Stream) -> None:
        self.open.discard(stream)
        stream.end()

    async def each_second(self) -> None:
        while True:
            await asyncio.sleep(1)
            now = time()
            for stream in (*self.open, *self.coming):
                if now >= stream.until:
                    self.end_one(stream)
                else:
                    stream.comment(now)

    def end(self) -> None:
        """All of them; and who comes now is told to come again: another process takes this one's place."""
        self.is_ending = True
        for stream in (*self.open, *self.coming):
            self.end_one(stream)
        self.coming.clear()
