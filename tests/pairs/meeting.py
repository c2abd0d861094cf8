"""Two writers at once, where it hurts: each has just taken a lock, and goes on only once the other has, too.

At which of its locks each stops is drawn. Nothing sleeps: a writer goes on when the other one has stopped, is done, or
waits for a lock that this one holds.
"""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from time import monotonic, sleep
from typing import Any

from django.db import Error, IntegrityError, connection, connections

from tests.pairs.world import World
from tests.pairs.writers import REFUSED

TAKES_LOCKS = re.compile(r"\s*(INSERT|UPDATE|DELETE)|.*FOR (NO KEY )?UPDATE", re.DOTALL)
MOST_LOCKS = 14
DEADLOCK, SERIALIZATION = "40P01", "40001"
LONGEST = 20.0


def code_of(error: BaseException | None) -> str:
    """PostgreSQL's, of the error or of what it came from."""
    while error is not None:
        if code := getattr(error, "pgcode", None):
            return str(code)
        error = error.__cause__ or error.__context__
    return ""


@dataclass
class Stepper:
    """Lets its thread run up to its lock of that number, and go on from there when it is told to."""

    stop_at: int
    taken: int = 0
    pid: int = 0
    has_stopped: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    broken: list[str] = field(default_factory=list)

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        try:
            result = execute(sql, params, many, context)
        except Error as error:
            self.broken.append(code_of(error))
            raise
        if TAKES_LOCKS.match(sql):
            self.taken += 1
            if self.taken == self.stop_at:
                self.has_stopped.set()
                self.go_on.wait(LONGEST)
        return result


class Pair:
    """Two threads, each with a connection that it keeps."""

    def __init__(self) -> None:
        self.pools = [ThreadPoolExecutor(1), ThreadPoolExecutor(1)]
        self.pids = [pool.submit(backend).result() for pool in self.pools]

    def close(self) -> None:
        for pool in self.pools:
            pool.submit(connections.close_all).result()
            pool.shutdown()

    def meet(self, world: World, writers: list[Callable[[World], None]], stops: list[int]) -> list[str]:
        """What PostgreSQL broke off, by its codes."""
        steppers = [Stepper(stop) for stop in stops]
        running = [
            pool.submit(work, writer, world, stepper)
            for pool, writer, stepper in zip(self.pools, writers, steppers, strict=True)
        ]
        end = monotonic() + LONGEST
        while not self.all_stand(running, steppers) and monotonic() < end:
            sleep(0.001)
        for stepper in steppers:
            stepper.go_on.set()
        for each in running:
            each.result()
        return [code for stepper in steppers for code in stepper.broken if code in (DEADLOCK, SERIALIZATION)]

    def all_stand(self, running: list["Future[None]"], steppers: list[Stepper]) -> bool:
        moving = [
            pid
            for pid, future, stepper in zip(self.pids, running, steppers, strict=True)
            if not future.done() and not stepper.has_stopped.is_set()
        ]
        if not moving:
            return True
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = ANY(%s)", [moving]
            )
            return bool(cursor.fetchone()[0] == len(moving))


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SET deadlock_timeout = '20ms'")
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def work(writer: Callable[[World], None], world: World, stepper: Stepper) -> None:
    with connection.execute_wrapper(stepper):
        try:
            writer(world)
        except REFUSED:
            pass  # the other one came first
        except Error as error:
            stepper.broken.append(code_of(error))
            if not isinstance(error, IntegrityError) and code_of(error) not in (DEADLOCK, SERIALIZATION):
                raise
        except AssertionError:
            if not stepper.broken:
                raise


@contextmanager
def pair() -> Iterator[Pair]:
    made = Pair()
    try:
        yield made
    finally:
        made.close()


def stops(random: Random) -> list[int]:
    return [random.randint(1, MOST_LOCKS), random.randint(1, MOST_LOCKS)]
