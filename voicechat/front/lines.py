"""The door's own connection to the database: polls that come while it is asked go along with the next question.

On any fault those that wait are told that nobody can tell, which sends them to Django, and it connects again.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

import psycopg2
from django.db import connection
from psycopg2.extensions import POLL_OK, POLL_WRITE

from core import triggers
from groups import versions
from groups.triggers import NotCountedError, check_counted
from groups.versions import Answer, Poll
from voicechat.connections import is_pooled

logger = logging.getLogger(__name__)

Then = Callable[[Answer | None], None]
MOST_AT_ONCE = 64
"""Polls in one question."""
MOST_WAITING = 2_000
"""Polls that wait for the next one. Who comes then goes to Django."""
MOST_SECONDS = 2.0
"""For an answer, or for connecting. Longer than any question takes, and shorter than a poll should wait."""
PAUSE_SECONDS = 1.0
"""Before the next try, after a fault."""


class Line:
    """What both databases have in common. Lives on one event loop."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Poll, Then]] = []
        self.asking: list[tuple[Poll, Then]] = []
        self.tries_after = float("-inf")
        """By the loop's clock."""
        self.forget: Callable[[], None] = lambda: None
        """Called with each new connection: it may lead to another server, or to triggers that were away for a while."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def ask(self, poll: Poll, then: Then) -> None:
        if self.loop.time() < self.tries_after or len(self.waiting) >= MOST_WAITING:
            then(None)
            return
        self.waiting.append((poll, then))
        if len(self.waiting) == 1 and not self.asking:
            self.loop.call_soon(self.go_on)

    def go_on(self) -> None:
        """Asks the next question, if there is one."""
        raise NotImplementedError

    def take(self) -> list[Poll]:
        self.asking, self.waiting = self.waiting[:MOST_AT_ONCE], self.waiting[MOST_AT_ONCE:]
        return [poll for poll, _ in self.asking]

    def hear(self, answers: Sequence[Answer]) -> None:
        asked, self.asking = self.asking, []
        if self.waiting:
            self.loop.call_soon(self.go_on)
        for (_, then), answer in zip(asked, answers, strict=True):
            then(answer)

    def give_up(self, error: Exception) -> None:
        """Nobody can tell for a while."""
        logger.warning("Polls go to Django: the door's connection to the database failed: %s", type(error).__name__)
        self.tries_after = self.loop.time() + PAUSE_SECONDS
        asked, self.asking, self.waiting = [*self.asking, *self.waiting], [], []
        for _, then in asked:
            then(None)


class SQLiteLine(Line):
    """Asks at once: reading never waits for who writes (https://www.sqlite.org/wal.html), and it is a file."""

    def __init__(self) -> None:
        super().__init__()
        self.connection: sqlite3.Connection | None = None

    def go_on(self) -> None:
        polls = self.take()
        try:
            if self.connection is None or self.has_changed(self.connection):
                self.connection = self.connect()
            rows = self.connection.execute(versions.QUESTION["sqlite"], (versions.as_json(polls),)).fetchall()
            answers = versions.answers(polls, rows)
        except (sqlite3.Error, RuntimeError) as error:
            self.connection = None
            self.give_up(error)
        else:
            self.hear(answers)

    def has_changed(self, connection: sqlite3.Connection) -> bool:
        """Whether tables or triggers have: Django takes the triggers off while it migrates."""
        return bool(connection.execute("PRAGMA schema_version").fetchone() != self.schema)

    def connect(self) -> sqlite3.Connection:
        name = quote(str(connection.settings_dict["NAME"]))
        made = sqlite3.connect(f"file:{name}?mode=ro", uri=True, timeout=0, isolation_level=None)
        self.schema = made.execute("PRAGMA schema_version").fetchone()
        check_counted("sqlite", made.execute(triggers.THERE["sqlite"]))
        self.forget()
        return made


def arrived(ready: asyncio.Future[None]) -> None:
    if not ready.done():  # a loop may tell twice
        ready.set_result(None)


class PostgreSQLLine(Line):
    """psycopg2's asynchronous way: the loop hears when an answer has come, and no thread waits for it.

    https://www.psycopg.org/docs/advanced.html#asynchronous-support
    """

    FAULTS = (OSError, psycopg2.Error, TimeoutError, NotCountedError)

    def __init__(self) -> None:
        super().__init__()
        self.connection: Any = None
        self.woken = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self.is_pooled = is_pooled(connection)

    def go_on(self) -> None:
        self.woken.set()
        if self.task is None:
            self.task = self.loop.create_task(self.talk())

    async def talk(self) -> None:
        """Asks whatever waits, as long as the process lives; after a fault over a new connection."""
        while True:
            try:
                async with asyncio.timeout(MOST_SECONDS):
                    await self.connect()
                while await self.woken.wait():
                    self.woken.clear()
                    while self.waiting:
                        async with asyncio.timeout(MOST_SECONDS):
                            await self.ask_next()
            except self.FAULTS as error:
                if self.connection:
                    self.connection.close()
                self.give_up(error)
            await asyncio.sleep(PAUSE_SECONDS)

    async def connect(self) -> None:
        parameters = {**connection.get_connection_params(), "async_": True}
        parameters.pop("cursor_factory", None)
        host = parameters.get("host")
        if host and not host.startswith("/"):  # libpq would hold up the loop while it looks the name up
            found = await self.loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            parameters["hostaddr"] = found[0][4][0]
        self.connection = psycopg2.connect(**parameters)
        await self.arrival()
        if not self.is_pooled:
            await self.fetch(f"SET statement_timeout = '{MOST_SECONDS:.0f}s'; {versions.SETTINGS}; {versions.PREPARE}")
        check_counted("postgresql", await self.fetch(triggers.THERE["postgresql"]))
        self.forget()

    async def ask_next(self) -> None:
        polls = self.take()
        question = versions.QUESTION["postgresql"] if self.is_pooled else versions.EXECUTE
        self.hear(versions.answers(polls, await self.fetch(question, (versions.as_json(polls),))))

    async def fetch(self, statement: str, parameters: tuple[str, ...] | None = None) -> list[tuple[Any, ...]]:
        cursor = self.connection.cursor()
        cursor.execute(statement, parameters)
        await self.arrival()
        return cursor.fetchall() if cursor.description else []

    async def arrival(self) -> None:
        """When PostgreSQL has done what it was told last."""
        while (state := self.connection.poll()) != POLL_OK:
            number, ready = self.connection.fileno(), self.loop.create_future()
            add, remove = (
                (self.loop.add_writer, self.loop.remove_writer)
                if state == POLL_WRITE
                else (self.loop.add_reader, self.loop.remove_reader)
            )
            add(number, arrived, ready)
            try:
                await ready
            finally:
                remove(number)


def line() -> Line | None:
    """To the database that the settings name; None where it is in this process's memory, and nobody else's."""
    if connection.vendor == "postgresql":
        return PostgreSQLLine()
    return None if connection.is_in_memory_db() else SQLiteLine()  # type: ignore[attr-defined]
