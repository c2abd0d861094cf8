"""Open pages, as a server meets them: each follows by a stream, or polls over a connection that it keeps."""

import asyncio
import json
from asyncio import StreamReader, StreamWriter
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

HERE = "127.0.0.1"
AGAIN_AFTER = 0.2
"""Seconds, where nobody listens."""
LISTENS = 2.0
"""Seconds, a little less than a worker that leaves goes on listening for. Only on a machine with too much to do does a
client that asks each second pause so long."""
PATIENCE = 30.0
"""Seconds in which an answer must have come."""


@dataclass
class Page:
    """Somebody's, that goes by events alone, and comes again with its place as often as its stream ends."""

    port: int
    person: int
    heard: dict[int, list[int]] = field(default_factory=dict)
    """By group, the numbers of the activities that it was told, as they came."""
    place: str = ""
    pause: float = 1.0
    rest: bytes = b""
    """Of an event that has not come whole."""
    is_told: bool = False
    """Whether it has been told anything on the stream that is open."""
    ended_at: float = 0.0
    told_at: float = 0.0
    """Seconds of the monotonic clock: when the last stream ended, and when one was `ready`."""
    opened: int = 0
    cuts: int = 0
    """How often a stream ended otherwise than an answer does, between two events: it was not accepted, or not read."""
    faults: list[str] = field(default_factory=list)

    async def follow(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self.hear_one()
            except ConnectionRefusedError:
                await asyncio.sleep(AGAIN_AFTER)
                continue
            except (OSError, EOFError):
                self.cuts += 1
            if self.rest:
                self.faults.append("a stream ended in the middle of an event")
                self.rest = b""
            self.is_told, self.ended_at = False, monotonic()
            await asyncio.sleep(self.pause)

    async def hear_one(self) -> None:
        """One stream, to its end. Raises OSError and EOFError where that is not the end of an answer."""
        reader, writer = await asyncio.open_connection(HERE, self.port)
        try:
            place = f"Last-Event-ID: {self.place}\r\n" if self.place else ""
            writer.write(f"GET /api/live?userId={self.person} HTTP/1.1\r\nHost: {HERE}\r\n{place}\r\n".encode())
            status, _ = await head_of(reader)
            self.opened += 1
            if status != 200:
                self.faults.append(f"a stream was refused: {status}")
                return
            while size := int(await reader.readuntil(b"\r\n"), 16):
                *blocks, self.rest = (self.rest + (await reader.readexactly(size + 2))[:-2]).split(b"\n\n")
                for block in blocks:
                    self.apply(block.decode())
        finally:
            writer.close()

    def apply(self, block: str) -> None:
        said = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "retry" in said:
            self.pause = int(said["retry"]) / 1000
        if "event" not in said:
            return
        self.place = said["id"]
        if said["event"] == "ready":
            self.is_told, self.told_at = True, monotonic()
        elif said["event"] == "reset":
            self.faults.append("a page was to read everything again")
        elif said["event"] == "activity":
            told = json.loads(said["data"])
            self.heard.setdefault(told["groupId"], []).append(int(told["activity"]["activity"].split()[-1]))


@dataclass
class Poller:
    """Asks once a second. What has no answer is lost; but who paused for longer than a worker that leaves listens sends
    it once more on another connection, as browsers do. https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1"""

    port: int
    path: str
    headers: str = ""
    times: list[float] = field(default_factory=list)
    """Seconds that each answer took."""
    answered_at: float = 0.0
    again: int = 0
    refused: int = 0
    """How often nobody listened, and nothing was sent."""
    faults: list[str] = field(default_factory=list)
    stream: tuple[StreamReader, StreamWriter] | None = None
    is_late: bool = False

    async def poll(self, begins_after: float, every: float = 1.0) -> None:
        """Until it is cancelled."""
        await asyncio.sleep(begins_after)
        while True:
            begun = monotonic()
            try:
                async with asyncio.timeout(PATIENCE):
                    await self.ask()
                self.times.append(monotonic() - begun)
            except ConnectionRefusedError:
                self.refused += 1
                await asyncio.sleep(AGAIN_AFTER)
                continue
            except (OSError, EOFError, ValueError) as fault:  # a time-out is an OSError
                if self.is_late and not isinstance(fault, ValueError | TimeoutError):
                    self.again += 1
                    self.leave()
                    continue
                self.faults.append(f"a poll failed, after {monotonic() - begun:.0f} s: {fault!r}")
                self.leave()
            await asyncio.sleep(max(0.0, begun + every - monotonic()))

    async def ask(self) -> None:
        """Raises OSError, EOFError and ValueError where there is no whole answer of 200."""
        self.is_late = self.stream is not None and monotonic() - self.answered_at > LISTENS
        if self.stream is None:
            self.stream = await asyncio.open_connection(HERE, self.port)
        reader, writer = self.stream
        writer.write(f"GET {self.path} HTTP/1.1\r\nHost: {HERE}\r\n{self.headers}\r\n".encode())
        status, headers = await head_of(reader)
        body = await reader.readexactly(int(headers["content-length"]))
        self.answered_at = monotonic()
        if headers.get("connection") == "close":
            self.leave()
        if status != 200:
            raise ValueError(status, body[:200])
        json.loads(body)

    def leave(self) -> None:
        if self.stream is not None:
            self.stream[1].close()
        self.stream = None


async def head_of(reader: StreamReader) -> tuple[int, dict[str, Any]]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
    return int(first.split()[1]), {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
