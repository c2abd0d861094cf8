"""What streams cost, and how soon they tell: `GET /api/live` in one process.

    python -m bench.live [--streams 2000] [--seconds 8] [--beside ../older]

With `--beside` also what polling costs another checkout of this project, such as an older commit. On temporary SQLite
files, or on databases beside the PostgreSQL of DATABASE_URL, filled as for `python -m bench`. The client runs beside
the server: on a machine of few cores its own work is in the times.
"""

import argparse
import asyncio
import os
import resource
import signal
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from statistics import quantiles
from time import monotonic, sleep
from typing import Any

import psycopg2

from bench.database import temporary_database
from bench.server import Server, gunicorn

IDLE = 1_000
A_SECOND = 20  # changes
AT_ONCE = 50  # streams that are opened at once
ROUNDS = 20  # of a page's polls
POLLED = ("callStatus", "callParticipants", "groupOwners", "groupMembers", "groupInvitees", "activities")
PAGE = 5  # groups
MARK = b"mark "
FLAGS = ["--workers", "1", "--max-requests", "0"]
SETTLED = 11  # seconds, in which an idle backend of PostgreSQL tells what it has counted


class Stream(asyncio.Protocol):
    """A client that notes when what it waits for came."""

    def __init__(self, person: int, came: dict[int, list[float]]) -> None:
        self.person, self.came, self.rest = person, came, b""
        self.is_ready = asyncio.Event()
        self.ended_at = 0.0
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(b"GET /api/live?userId=%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % self.person)

    def data_received(self, data: bytes) -> None:
        now, data = monotonic(), self.rest + data
        *blocks, self.rest = data.split(b"\n\n")
        for block in blocks:
            if b"event: ready" in block:
                self.is_ready.set()
            _, is_there, after = block.partition(MARK)
            if is_there:
                self.came.setdefault(int(after[:8]), []).append(now)

    def connection_lost(self, error: Exception | None) -> None:
        self.ended_at = monotonic()


class Writer:
    """A connection of its own, on which each statement is committed."""

    def __init__(self, url: str) -> None:
        self.is_postgresql = url.startswith("postgres")
        if self.is_postgresql:
            self.connection: Any = psycopg2.connect(url)
            self.connection.autocommit = True
        else:
            self.connection = sqlite3.connect(
                url.removeprefix("sqlite:///"), isolation_level=None, timeout=10, check_same_thread=False
            )

    def run(self, statement: str) -> list[Any]:
        cursor = self.connection.cursor()
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []

    def statements(self) -> int | None:
        """How many there have been on the database; none of them in a transaction with others while nothing changes."""
        if not self.is_postgresql:
            return None
        sleep(SETTLED)
        found: int = self.run("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")[0][0]
        return found


class Worker:
    def __init__(self, server: Server) -> None:
        pid = server.process.pid
        self.pid = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def memory(self) -> int:
        """KiB, resident."""
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{self.pid}/status").read_text().splitlines())
        return int(lines["VmRSS"].split()[0])

    def cpu(self) -> float:
        """Seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def opened(port: int, people: Sequence[int], came: dict[int, list[float]]) -> list[Stream]:
    loop, streams = asyncio.get_running_loop(), []
    for at in range(0, len(people), AT_ONCE):
        some = [
            (await loop.create_connection(lambda person=person: Stream(person, came), "127.0.0.1", port))[1]
            for person in people[at : at + AT_ONCE]
        ]
        await asyncio.gather(*(stream.is_ready.wait() for stream in some))
        streams += some
    return streams


async def idle(port: int, worker: Worker, writer: Writer, seconds: float) -> float:
    """Gives the CPU seconds a second of one stream."""
    [first] = await opened(port, [1], {})
    alone = await asked(writer, seconds)
    before = worker.memory()
    streams = await opened(port, range(2, IDLE + 2), {})
    kept = (worker.memory() - before) / IDLE
    begun = worker.cpu()
    await asyncio.sleep(seconds)
    cpu = (worker.cpu() - begun) / seconds
    many = await asked(writer, seconds)
    print(f"An idle stream: {kept:.0f} KiB. {IDLE} of them: {1000 * cpu:.0f} ms of CPU a second.")
    print(f"Statements a second while nothing changes: {alone} for 1 stream, {many} for {IDLE + 1}.")
    print(f"A page by stream: {1e6 * cpu / IDLE:.1f} µs of CPU a second.", flush=True)
    for stream in (first, *streams):
        stream.transport.abort()
    return cpu / IDLE


async def asked(writer: Writer, seconds: float) -> str:
    before, begun = await asyncio.to_thread(writer.statements), monotonic()
    if before is None:
        return "not counted"
    await asyncio.sleep(seconds)
    after = await asyncio.to_thread(writer.statements)
    return f"{((after or 0) - before) / (monotonic() - begun):.1f}"


async def changing(server: Server, worker: Worker, writer: Writer, many: int, seconds: float) -> None:
    came: dict[int, list[float]] = {}
    streams = await opened(server.port, range(1, many + 1), came)
    groups = [pk for (pk,) in writer.run("SELECT id FROM groups ORDER BY id LIMIT 500")]
    committed, cpu, began = [], worker.cpu(), monotonic()
    for number in range(int(A_SECOND * seconds)):
        group = groups[number * 7 % len(groups)]
        statement = 'INSERT INTO activities ("userId", "groupId", activity) VALUES (1, {}, \'mark {:08d}\')'
        await asyncio.to_thread(writer.run, statement.format(group, number))
        committed.append(monotonic())
        await asyncio.sleep(1 / A_SECOND)
    cpu = (worker.cpu() - cpu) / (monotonic() - began)
    await asyncio.sleep(2)
    times = [1000 * (at - committed[number]) for number, each in came.items() for at in each]
    cuts = quantiles(times, n=100)
    print(
        f"{many} streams, {A_SECOND} changes a second: {len(times)} events of {len(came)} of {len(committed)} changes."
    )
    print(f"From commit to wire: p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms.")
    print(f"A page by stream, while that changes: {1e6 * cpu / many:.1f} µs of CPU a second.", flush=True)
    begun = monotonic()
    os.kill(server.process.pid, signal.SIGTERM)
    while not all(stream.ended_at for stream in streams):
        await asyncio.sleep(0.01)
    print(f"SIGTERM: all {many} ended within {max(stream.ended_at for stream in streams) - begun:.2f} s.", flush=True)


def polled(port: int, worker: Worker, writer: Writer, where: str) -> float:
    """Gives the CPU seconds a second of one page."""
    groups = [pk for (pk,) in writer.run(f"SELECT id FROM groups ORDER BY id LIMIT {PAGE}")]
    paths = [f"/api/groups/{group}/{name}" for group in groups for name in POLLED]
    with closing(HTTPConnection("127.0.0.1", port)) as connection:
        for at in range(ROUNDS + 3):
            if at == 3:  # by then they are kept
                begun = worker.cpu()
            for path in paths:
                connection.request("GET", path)
                connection.getresponse().read()
    spent = (worker.cpu() - begun) / ROUNDS
    print(f"A page of {PAGE} groups by polling {where} each second: {1e6 * spent:.0f} µs of CPU a second.", flush=True)
    return spent


def polled_at(root: Path) -> float:
    """The same, of the server of that checkout."""
    with ExitStack() as stack:
        environment, _ = stack.enter_context(temporary_database(root=root, suffix="_there"))
        server = stack.enter_context(gunicorn("voicechat.wsgi", FLAGS, environment, "/healthz", root))
        writer = Writer(environment["DATABASE_URL"])
        stack.enter_context(closing(writer.connection))
        return polled(server.port, Worker(server), writer, root.name)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: the server is stopped, the database dropped
    parser = argparse.ArgumentParser(prog="python -m bench.live", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--streams", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--beside", type=Path, help="the folder of another checkout")
    given = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    there = polled_at(given.beside.resolve()) if given.beside else None
    with ExitStack() as stack:
        environment, _ = stack.enter_context(temporary_database())
        server = stack.enter_context(gunicorn("voicechat.wsgi", FLAGS, environment, "/healthz"))
        writer = Writer(environment["DATABASE_URL"])
        stack.enter_context(closing(writer.connection))
        worker = Worker(server)
        here = polled(server.port, worker, writer, "here")
        stream = asyncio.run(idle(server.port, worker, writer, given.seconds))
        for where, cpu in (("here", here), *((given.beside.name, there),) * bool(there)):
            print(f"By polling {where} it is {cpu / stream:.0f} times as much as by an idle stream.", flush=True)
        asyncio.run(changing(server, worker, writer, given.streams, given.seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
