"""What goes wrong, each for a while."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2

from bench.chaos.cluster import Cluster
from bench.server import Server
from bench.storm.server import children

CUTS, BETWEEN_CUTS = 5, 0.5
HANG_SECONDS = 10.0
DOORS = "(query LIKE 'EXECUTE what_is_so%' OR query LIKE '%LEFT JOIN LATERAL (SELECT id, is_staff FROM users%')"
"""Of PostgreSQL's processes: those that were last asked by a door."""


@dataclass(frozen=True)
class House:
    cluster: Cluster
    server: Server
    away: float
    """Seconds for which PostgreSQL is stopped."""

    @contextmanager
    def by_hand(self) -> Iterator[Any]:
        with closing(psycopg2.connect(self.cluster.url)) as connection:
            connection.autocommit = True
            yield connection.cursor()

    def doors_backends(self) -> list[int]:
        with self.by_hand() as cursor:
            cursor.execute(f"SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND {DOORS}")
            return [pid for (pid,) in cursor.fetchall()]


@dataclass(frozen=True)
class Kind:
    name: str
    work: Callable[[House], None]
    is_cut: bool = True
    """Whether PostgreSQL itself cuts, or holds up, requests of Django's too: they may be answered by 503."""
    sends_again: bool = False
    """Whether connections of clients end, so that a request is sent again."""
    only_direct: bool = False
    """Behind a pooler the door's backend is everybody's."""


def cut(house: House) -> None:
    for _ in range(CUTS):
        for pid in house.doors_backends():
            with house.by_hand() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        time.sleep(BETWEEN_CUTS)


def hang(house: House) -> None:
    pids = house.doors_backends()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(HANG_SECONDS)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def lock(house: House) -> None:
    with closing(psycopg2.connect(house.cluster.url)) as connection:
        connection.cursor().execute("LOCK TABLE groups IN ACCESS EXCLUSIVE MODE")
        time.sleep(HANG_SECONDS)


def restart(mode: str) -> Callable[[House], None]:
    def work(house: House) -> None:
        house.cluster.stop(mode)
        house.cluster.start()

    return work


def stop(house: House) -> None:
    house.cluster.stop("fast")
    time.sleep(house.away)
    house.cluster.start()


def signalled(number: int) -> Callable[[House], None]:
    def work(house: House) -> None:
        (worker,) = children(house.server.process.pid)
        os.kill(worker, number)
        while worker in children(house.server.process.pid):
            time.sleep(0.01)

    return work


KINDS = (
    Kind("the door's connection is cut, 5 times", cut, is_cut=False),
    Kind("the door's question hangs for 10 s", hang, is_cut=False, only_direct=True),
    Kind("a table is locked for 10 s", lock),
    Kind("PostgreSQL restarts", restart("fast")),
    Kind("PostgreSQL crashes", restart("immediate")),
    Kind("PostgreSQL is away", stop),
    Kind("the worker is killed", signalled(signal.SIGKILL), is_cut=False, sends_again=True),
    Kind("the worker is replaced", signalled(signal.SIGTERM), is_cut=False, sends_again=True),
)
