"""Is anything lost while a server's processes end, under open streams and polls?

    python -m bench.deploys [--streams 500] [--polls 50] [--only words]

Pages follow, others poll once a second, and somebody writes, on a temporary SQLite file, or on a database beside the
PostgreSQL of DATABASE_URL. Meanwhile both processes of the server are told to end (SIGTERM); the whole server is, and
another one begun in its place; each process ends by itself after so many requests, again and again. Exits with 1 where
a poll had no answer, a stream was still open after two seconds or was cut within an event, a page did not come back or
was told to read everything again, or an activity is missing, came twice or came before an older one of its group.
"""

import argparse
import asyncio
import os
import resource
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from time import monotonic

from bench.database import temporary_database
from bench.deploys.pages import Page, Poller
from bench.live import A_SECOND, Writer
from bench.server import Server, gunicorn
from bench.storm.server import children

ENDED_WITHIN = 2.0
BACK_SECONDS = 60.0
CALM = 2.0
"""Seconds before each kind and after it."""
RECYCLED_SECONDS = 40.0
RECYCLED_AFTER = ["--max-requests", "100", "--max-requests-jitter", "50"]
"""Requests that are Django's: half of the polls are, of 25 a second."""
NOT_PLAIN = "X-Asked: of Django\r\n"
"""With a header that it does not know the door passes a poll on."""
AT_ONCE = 50
"""Streams that are opened at once."""
HEADS = (
    "polls",
    "failed",
    "again",
    "refused",
    "longest s",
    "ended s",
    "back s",
    "cut",
    "told",
    "missing",
    "twice",
    "disorder",
)
VISIBLE = """
SELECT "groupId" FROM "usersGroupsOwnership" WHERE "userId" = {person}
UNION SELECT "groupId" FROM "usersGroupsMembership" WHERE "userId" = {person}
UNION SELECT "groupId" FROM "usersGroupsInvitations" WHERE "userId" = {person}
"""


class House:
    """A server that can be begun anew at the same port."""

    def __init__(self, environment: dict[str, str], flags: list[str], stack: ExitStack) -> None:
        self.environment, self.flags, self.stack = environment, ["--workers", "2", *flags], stack
        self.server = self.begin(None)

    def begin(self, port: int | None) -> Server:
        return self.stack.enter_context(gunicorn("voicechat.wsgi", self.flags, self.environment, "/healthz", port=port))

    def again(self) -> None:
        self.server.process.wait()
        self.server = self.begin(self.server.port)

    @property
    def workers(self) -> list[int]:
        return children(self.server.process.pid)


@dataclass
class Scene:
    house: House
    pages: list[Page]
    pollers: list[Poller]
    ended: float | None = None
    """Seconds from the signal to the end of the last stream that was open then; None where nobody gave one."""
    back: float = 0.0
    """Seconds from the signal until all of them were open again."""
    written: dict[int, list[int]] = field(default_factory=dict)
    """By group, the numbers of its activities, in the order of their commits."""
    visible: dict[int, set[int]] = field(default_factory=dict)
    """By person, the groups in which they have a part."""

    async def end(self, *pids: int) -> None:
        """Returns when all streams have ended."""
        begun = monotonic()
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        await until(lambda: all(page.ended_at > begun for page in self.pages), BACK_SECONDS)
        self.ended = max(page.ended_at for page in self.pages) - begun

    async def are_back(self) -> None:
        begun = monotonic()
        await until(lambda: all(page.is_told for page in self.pages), BACK_SECONDS)
        self.back = monotonic() - begun

    def lacks(self) -> tuple[int, int, int]:
        """How many activities pages were never told, were told twice, and before an older one of their group."""
        missing = twice = disorder = 0
        for page in self.pages:
            for heard in page.heard.values():
                twice += len(heard) - len({*heard})
                disorder += sum(one > other for one, other in pairwise(heard))
            for group in self.visible[page.person] & self.written.keys():
                missing += len({*self.written[group]} - {*page.heard.get(group, ())})
        return missing, twice, disorder


async def until(is_so: Callable[[], bool], seconds: float, every: float = 0.01) -> None:
    """Or until so many seconds are over: what is wrong then is told by the figures."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not is_so():
                await asyncio.sleep(every)


async def workers_end(scene: Scene) -> None:
    await scene.end(*scene.house.workers)
    await scene.are_back()


async def whole_ends(scene: Scene) -> None:
    begins = asyncio.to_thread(scene.house.again)
    await scene.end(scene.house.server.process.pid)
    await begins
    await scene.are_back()


async def workers_are_recycled(scene: Scene) -> None:
    before, opened = {*scene.house.workers}, sum(page.opened for page in scene.pages)
    seen: set[int] = set()
    end = monotonic() + RECYCLED_SECONDS
    while monotonic() < end:
        seen |= {*scene.house.workers} - before
        await asyncio.sleep(0.1)
    again = sum(page.opened for page in scene.pages) - opened
    print(f"{len(seen)} processes took another's place; {again:,} streams were opened again.", flush=True)
    await scene.are_back()


KINDS: dict[str, tuple[Callable[[Scene], Awaitable[None]], list[str]]] = {
    "both processes are told to end": (workers_end, ["--max-requests", "0"]),
    "the whole ends, another begins": (whole_ends, ["--max-requests", "0"]),
    "each ends after 100 to 150 requests": (workers_are_recycled, RECYCLED_AFTER),
}


async def write(writer: Writer, groups: list[int], written: dict[int, list[int]]) -> None:
    """Activities, each committed by itself, until it is cancelled."""
    number = 0
    while True:
        group = groups[number * 7 % len(groups)]
        statement = f'INSERT INTO activities ("userId", "groupId", activity) VALUES (1, {group}, \'mark {number}\')'
        await asyncio.to_thread(writer.run, statement)
        written.setdefault(group, []).append(number)
        number += 1
        await asyncio.sleep(1 / A_SECOND)


async def play(scene: Scene, writer: Writer, work: Callable[[Scene], Awaitable[None]]) -> None:
    groups = [pk for (pk,) in writer.run("SELECT id FROM groups ORDER BY id")]
    following: list[asyncio.Task[None]] = []
    for at in range(0, len(scene.pages), AT_ONCE):
        some = scene.pages[at : at + AT_ONCE]
        following += [asyncio.create_task(page.follow()) for page in some]
        await until(lambda some=some: all(page.is_told for page in some), BACK_SECONDS)  # type: ignore[misc]
    many = len(scene.pollers)
    polling = [asyncio.create_task(each.poll(number / many)) for number, each in enumerate(scene.pollers)]
    writing = asyncio.create_task(write(writer, groups, scene.written))
    await asyncio.sleep(CALM)
    await work(scene)
    await asyncio.sleep(CALM)
    for task in (writing, *polling):
        task.cancel()
    await until(lambda: all(page.is_told for page in scene.pages) and not any(scene.lacks()), BACK_SECONDS, every=0.5)
    for task in following:
        task.cancel()
    await asyncio.gather(writing, *polling, *following, return_exceptions=True)
    for poller in scene.pollers:
        poller.leave()


def figures(name: str, scene: Scene) -> list[str]:
    """Prints them. Returns what is wrong."""
    times = [each for poller in scene.pollers for each in poller.times]
    failed = [fault for poller in scene.pollers for fault in poller.faults]
    told = sum(len(heard) for page in scene.pages for heard in page.heard.values())
    cuts = sum(page.cuts for page in scene.pages)
    lacks = scene.lacks()
    ended = "-" if scene.ended is None else f"{scene.ended:.2f}"
    again = sum(poller.again for poller in scene.pollers)
    refused = sum(poller.refused for poller in scene.pollers)
    columns = (
        len(times),
        len(failed),
        again,
        refused,
        f"{max(times):.2f}",
        ended,
        f"{scene.back:.1f}",
        cuts,
        told,
        *lacks,
    )
    print(f"{name:<36}{''.join(f'{each:>10}' for each in columns)}", flush=True)
    faults = failed + [fault for page in scene.pages for fault in page.faults]
    faults += [f"{number} activities {what}" for number, what in zip(lacks, HEADS[-3:], strict=True) if number]
    if scene.ended is not None and not 0 <= scene.ended <= ENDED_WITHIN:
        faults.append("a stream was still open after two seconds")
    if not all(page.is_told for page in scene.pages):
        faults.append("a page did not come back")
    return [f"{name}: {fault}" for fault in faults]


def run(given: argparse.Namespace, stack: ExitStack) -> list[str]:
    environment, _ = stack.enter_context(temporary_database())
    writer = Writer(environment["DATABASE_URL"])
    stack.enter_context(closing(writer.connection))
    people = range(1, given.streams + 1)
    visible = {person: {pk for (pk,) in writer.run(VISIBLE.format(person=person))} for person in people}
    faults = []
    print(f"{'':<36}{''.join(f'{head:>10}' for head in HEADS)}", flush=True)
    for name, (work, flags) in KINDS.items():
        if given.only not in name:
            continue
        with ExitStack() as servers:
            house = House(environment, flags, servers)
            port = house.server.port
            pollers = [
                Poller(port, f"/api/groups/{number + 1}/callStatus", NOT_PLAIN if number % 2 else "")
                for number in range(given.polls)
            ]
            scene = Scene(house, [Page(port, person) for person in people], pollers, visible=visible)
            asyncio.run(play(scene, writer, work))
            faults += figures(name, scene)
    return faults


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: servers are stopped, the database dropped
    parser = argparse.ArgumentParser(prog="python -m bench.deploys", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--polls", type=int, default=50, help="a second")
    parser.add_argument("--only", default="", help="words of the kinds' names")
    given = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as stack:
        faults = run(given, stack)
    if faults:
        counted = (f"{number:>5} x {fault}" for fault, number in Counter(faults).most_common(20))
        print("\nFAILED:", *counted, sep="\n  ")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
