"""Who does jobs: a process with a few threads, of which each does one at a time.

The process's own thread is the foreman: it says that the worker lives, begins what is due and hands it to a thread that
is free, has the schedule looked at, and takes a job from a thread that takes too long. Such a thread cannot be stopped:
another takes its place, and once there are as many of them as there are threads, the process begins anew.
"""

import logging
import os
import secrets
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from inspect import signature
from queue import SimpleQueue
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from core.deadline import deadline
from core.failpoints import failpoint
from core.jobs.models import Job, WorkerSeen
from core.jobs.queue import LEASE, beat, begin, fail, finish, give_back, mend_clocks
from core.jobs.tasks import UnreadableArgumentsError, bounds_of, read, task_at
from core.jobs.words import in_words
from core.metrics.counted import counted
from core.metrics.families import JOBS_DONE

logger = logging.getLogger(__name__)

POLL = 0.25
"""Seconds: so long may a job that is due wait for a thread that is free."""
BEAT = LEASE.total_seconds() / 4
GRACE = 2.0
"""Seconds beyond its bound, which a task keeps by itself where it asks a vendor."""
SETTLED_WITHIN = 60.0
"""So long is tried to write down what became of a job, while the database does not answer."""
NO_DATABASE = (DatabaseError, InterfaceError)
TOO_LONG = "It took longer than {:.0f} s."


def new_name() -> str:
    """Of a worker: nobody else is, or ever was, called so."""
    return f"{os.getpid()}-{secrets.token_hex(4)}"


def do(job: Job) -> bool:
    """Does a job in this thread and writes down what became of it; whether it went well. Raises DatabaseError where
    that could not be written."""
    begun = monotonic()
    try:
        result = copy_context().run(call, job)
        failpoint("job_done")
        is_ours = settled(lambda: finish(job, result))
        told = "done"
    except (Exception, SystemExit) as error:
        words = in_words(error)
        logger.warning("Job %s (%s) failed", job.pk, job.task, exc_info=error)
        is_ours, told = settled(lambda: fail(job, words)), words
    failpoint("job_settled")
    fields = {"job": job.pk, "task": job.task, "try": job.tries, "ms": round((monotonic() - begun) * 1000)}
    counted.count(JOBS_DONE, job.task, "done" if told == "done" else "failed")
    if not is_ours:
        told = "another worker has begun it anew"
    logger.info("Job %s: %s", job.pk, told, extra={"fields": fields})
    return is_ours and told == "done"


def call(job: Job) -> Any:
    task = task_at(job.task)
    args, kwargs = read(job.arguments)
    try:
        signature(task.func).bind(*args, **kwargs)
    except TypeError as error:
        raise UnreadableArgumentsError from error
    failpoint("job_begun")
    with deadline(task.seconds):
        return task.call(*args, **kwargs)


def settled(write: Callable[[], bool]) -> bool:
    """Tried until the database answers, or it is too late: then the lease is over, and another begins the job anew."""
    ends = monotonic() + SETTLED_WITHIN
    while True:
        try:
            return write()
        except NO_DATABASE:
            if connection.in_atomic_block or monotonic() >= ends:
                raise
            connection.close()
            sleep(0.5)


@dataclass(eq=False)
class Hand:
    """A thread that does jobs, and what it is at."""

    todo: "SimpleQueue[Job | None]" = field(default_factory=SimpleQueue)
    job: Job | None = None
    begun: float = 0.0

    def is_overdue(self) -> bool:
        job = self.job
        return job is not None and monotonic() - self.begun > bounds_of(job.task).seconds + GRACE


class Worker:
    """`run` does what is due until `stop` is called; whether the process should begin anew."""

    def __init__(self, *, threads: int, on_tick: Callable[[], None] = lambda: None) -> None:
        self.name, self.threads, self.on_tick = new_name(), threads, on_tick
        self.hands: list[Hand] = []
        self.given_up: list[Hand] = []
        self.stopping, self.wake = Event(), Event()
        self.beaten_at = float("-inf")
        self.is_cut_off = False

    def stop(self) -> None:
        """Nothing new is begun."""
        self.stopping.set()
        self.wake.set()

    def run(self, *, grace: float) -> bool:
        """After `stop`, what is at work has so many seconds; then it is given back."""
        for _ in range(self.threads):
            self.hire()
        while not self.stopping.is_set() and len(self.given_up) < self.threads:
            self.turn(self.tick)
            self.wake.wait(POLL)
            self.wake.clear()
        is_worn_out = not self.stopping.is_set()
        self.wind_up(monotonic() + grace)
        return is_worn_out

    def hire(self) -> None:
        hand = Hand()
        self.hands.append(hand)
        Thread(target=self.work, args=(hand,), daemon=True, name="jobs").start()

    def turn(self, tick: Callable[[], None]) -> None:
        """The database may be away: it is there again some time. Says so once."""
        try:
            close_old_connections()
            tick()
        except NO_DATABASE as error:
            if not self.is_cut_off:
                logger.warning("The worker has no database, and waits for it", exc_info=error)
            self.is_cut_off = True
            connection.close()
            self.stopping.wait(0.5)
        else:
            if self.is_cut_off:
                logger.warning("The worker has its database again")
            self.is_cut_off = False

    def tick(self) -> None:
        self.say_alive()
        self.take_from_overdue()
        self.on_tick()
        while not self.stopping.is_set() and (free := self.free_hand()):
            job = begin(self.name, at_work=self.at_work())
            if job is None:
                return
            self.hand_over(free, job)

    def say_alive(self) -> None:
        if monotonic() - self.beaten_at >= BEAT:
            beat(self.name, self.threads, self.at_work())
            mend_clocks()
            self.beaten_at = monotonic()

    def free_hand(self) -> Hand | None:
        return next((hand for hand in self.hands if hand.job is None), None)

    def hand_over(self, hand: Hand, job: Job) -> None:
        hand.begun, hand.job = monotonic(), job
        hand.todo.put(job)

    def work(self, hand: Hand) -> None:
        """What a thread does, until it is given up or the process ends."""
        while (job := hand.todo.get()) is not None:
            try:
                close_old_connections()
                do(job)
            except Exception as error:
                logger.error("What became of job %s could not be written down", job.pk, exc_info=error)
                connection.close()
            finally:
                close_old_connections()
                hand.job = None
                self.wake.set()
        connection.close()

    def take_from_overdue(self) -> None:
        for hand in [each for each in self.hands if each.is_overdue()]:
            job = hand.job
            if job is None:
                continue
            logger.error("Job %s (%s) takes too long, and goes on without anybody waiting for it", job.pk, job.task)
            fail(job, TOO_LONG.format(bounds_of(job.task).seconds))
            self.hands.remove(hand)
            hand.todo.put(None)  # it ends once it is free
            self.given_up = [each for each in self.given_up if each.job is not None] + [hand]
            self.hire()

    def at_work(self) -> list[Job]:
        return [hand.job for hand in self.hands if hand.job is not None]

    def wind_up(self, ends: float) -> None:
        while self.at_work() and monotonic() < ends:
            self.turn(self.say_alive)
            self.wake.wait(POLL)
            self.wake.clear()
        self.turn(self.leave)

    def leave(self) -> None:
        for job in self.at_work():
            logger.warning("Job %s (%s) is given back: the worker ends", job.pk, job.task)
            give_back(job)
        WorkerSeen.objects.filter(pk=self.name).delete()


def do_all(*, most: int = 1000) -> list[tuple[Job, bool]]:
    """Does what is due, one after the other in this thread, and what becomes due by that; each with whether it went
    well. For tests, and where no worker runs."""
    done: list[tuple[Job, bool]] = []
    name = new_name()
    while len(done) < most and (job := begin(name)):
        done.append((job, do(job)))
    return done
