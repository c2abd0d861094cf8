"""Django's PostgreSQL backend, as a server needs it whose database may fall silent."""

import time
from threading import Lock
from typing import Any

from django.db.backends.postgresql import base

from voicechat.postgresql.waits import CHECK, STATEMENT, BoundedConnection, BoundedCursor, BoundedServerCursor

LONG = 1.0
"""Seconds. Who refuses a connection does so at once; who takes longer is silent."""


class Serving:
    """Whether this process serves requests, which may not wait as long as commands may: a migration takes its time."""

    is_bounded = False


class Silence:
    """While the host is silent, one thread tries it, and the others are told at once.

    Or each of them would wait out the time to connect, and then the next request in the same thread: nobody would be
    left who answers what needs no database.
    """

    def __init__(self) -> None:
        self.is_known = False
        self.trying = Lock()

    def connect(self, wrapper: "DatabaseWrapper", params: dict[str, Any]) -> Any:
        if not self.is_known:
            return self.attempt(wrapper, params)
        if not self.trying.acquire(blocking=False):
            raise wrapper.Database.OperationalError("The database is silent, and tried by another thread.")
        try:
            made = self.attempt(wrapper, params)
            self.is_known = False
            return made
        finally:
            self.trying.release()

    def attempt(self, wrapper: "DatabaseWrapper", params: dict[str, Any]) -> Any:
        begun = time.monotonic()
        try:
            return wrapper.connect_once(params)
        except wrapper.Database.OperationalError:
            if time.monotonic() - begun > LONG:
                self.is_known = True
            raise


silence = Silence()


class DatabaseWrapper(base.DatabaseWrapper):
    lost_at = -LONG
    """When this thread's connection was given up in the middle of its work."""

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        if Serving.is_bounded:
            params.update(connection_factory=BoundedConnection, cursor_factory=BoundedCursor)
        return params

    def connect(self) -> None:
        super().connect()
        if isinstance(self.connection, BoundedConnection):
            self.connection.seconds = STATEMENT

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Leaving a transaction whose connection is lost Django asks for a new one: that would be a second wait."""
        if not Serving.is_bounded:
            return self.connect_once(conn_params)
        if time.monotonic() - self.lost_at < LONG:
            raise self.Database.OperationalError("The database has just fallen silent.")
        return silence.connect(self, conn_params)

    def connect_once(self, params: dict[str, Any]) -> Any:
        return super().get_new_connection(params)

    def create_cursor(self, name: str | None = None) -> Any:
        if name is None or not isinstance(self.connection, BoundedConnection):
            return super().create_cursor(name)
        self.connection.cursor_factory = BoundedServerCursor
        try:
            return super().create_cursor(name)
        finally:
            self.connection.cursor_factory = BoundedCursor

    def _close(self) -> None:
        if getattr(self.connection, "was_given_up", False):
            self.lost_at = time.monotonic()
        super()._close()  # type: ignore[misc]  # django-stubs do not know it

    def is_usable(self) -> bool:
        """Asked at the beginning of a request, when a connection is there already. A silent one is given up soon."""
        if not isinstance(self.connection, BoundedConnection):
            return super().is_usable()
        self.connection.seconds = CHECK
        try:
            return super().is_usable()
        finally:
            self.connection.seconds = STATEMENT
            self.connection.was_given_up = False  # a new one may be tried at once
