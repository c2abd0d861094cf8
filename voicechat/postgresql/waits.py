"""Bounds each wait for PostgreSQL from this side.

A host that is frozen, or a network that swallows, may go on confirming what it is sent. TCP's own bounds see nothing
wrong then, PostgreSQL's (`statement_timeout`) are not kept by anybody, and libpq waits for ever. So what is waited for
too long is ended by shutting the connection's socket down: libpq takes that for a lost connection, as it would any.
docs/decisions/silent-database.md says why it is done so.
"""

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread, get_ident
from typing import Any

from psycopg2.extensions import connection, cursor

STATEMENT = 8.0
"""Seconds; PostgreSQL itself ends a statement a second earlier (voicechat/connections.py)."""
CHECK = 2.0
"""Seconds for the answer to "are you there?", with which a request begins."""
GREETING = 4.0
"""Seconds for each thing that is settled on a new connection, which has taken its time already."""
EACH = 0.5


class Watch:
    """One thread for all waits of the process, which looks twice a second whether one is over."""

    def __init__(self) -> None:
        self.giving_up = Lock()
        self.waits: dict[int, tuple[float, BoundedConnection]] = {}  # of each thread: until when, and for whom
        self.watches = False

    def over(self, made: "BoundedConnection", work: Callable[..., Any], *arguments: Any) -> Any:
        """What `work` gives. Where it takes longer than the connection may, that is lost, and psycopg2 says so."""
        me = get_ident()
        self.waits[me] = time.monotonic() + made.seconds, made
        if not self.watches:
            self.start()
        try:
            return work(*arguments)
        finally:
            with self.giving_up:  # from here on the socket's number may be another's
                self.waits.pop(me, None)

    def start(self) -> None:
        """With the first wait, and so in the process that waits: threads do not outlive a fork."""
        with self.giving_up:
            if not self.watches:
                self.watches = True
                Thread(target=self.run, name="database-waits", daemon=True).start()

    def run(self) -> None:
        while True:
            time.sleep(EACH)
            now = time.monotonic()
            with self.giving_up:
                for thread, (end, made) in [*self.waits.items()]:
                    if end <= now:
                        del self.waits[thread]
                        give_up(made)


def give_up(made: "BoundedConnection") -> None:
    """The socket stays its owner's to close. Whoever waits on it hears at once that nothing more comes."""
    made.was_given_up = True
    with suppress(OSError), socket.socket(fileno=made.fileno()) as borrowed:
        try:
            borrowed.shutdown(socket.SHUT_RDWR)
        finally:
            borrowed.detach()


watch = Watch()
os.register_at_fork(after_in_child=watch.__init__)  # type: ignore[misc]  # made anew: its thread has stayed behind


class BoundedConnection(connection):  # type: ignore[misc]  # psycopg2 carries no types
    """Connecting itself is bounded by libpq's `connect_timeout`, for each address."""

    seconds = GREETING
    was_given_up = False

    def commit(self) -> None:
        watch.over(self, super().commit)

    def rollback(self) -> None:
        watch.over(self, super().rollback)


class BoundedCursor(cursor):  # type: ignore[misc]  # as above
    """All that a client-side cursor waits for: what was answered is whole, and fetching asks nobody."""

    connection: BoundedConnection

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002  # psycopg2's name for it
        watch.over(self.connection, cursor.execute, self, query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        watch.over(self.connection, cursor.executemany, self, query, vars_list)


class BoundedServerCursor(BoundedCursor):
    """Asks for each part of what it reads."""

    def fetchone(self) -> Any:
        return watch.over(self.connection, cursor.fetchone, self)

    def fetchmany(self, size: int | None = None) -> Any:
        return watch.over(self.connection, cursor.fetchmany, self, self.itersize if size is None else size)

    def fetchall(self) -> Any:
        return watch.over(self.connection, cursor.fetchall, self)

    def close(self) -> None:
        watch.over(self.connection, cursor.close, self)
