"""A host between the server and its database, on the loopback, that can fall silent as a frozen machine does.

It goes on taking connections and confirming what it is sent, so that TCP sees nothing wrong; it hands nothing on.
"""

import socket
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from typing import Self


class SilentHost:
    def __init__(self, address: tuple[str, int]) -> None:
        self.behind = address
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.is_silent = Event()
        self.silent_at: bytes | None = None
        self.opened = 0
        self.ends: list[socket.socket] = []

    def __enter__(self) -> Self:
        Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for end in (self.listener, *self.ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def fall_silent(self, *, at: bytes | None = None) -> None:
        """Now, or in the middle of a request: as soon as these bytes are sent to the database."""
        self.silent_at = at
        if at is None:
            self.is_silent.set()

    def speak(self) -> None:
        """Again, on new connections: what was swallowed is lost."""
        self.silent_at = None
        self.is_silent.clear()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                self.opened += 1
                server = socket.create_connection(self.behind)
                self.ends += [client, server]
                for pair in ((client, server), (server, client)):
                    Thread(target=self.carry, args=pair, daemon=True).start()

    def carry(self, source: socket.socket, target: socket.socket) -> None:
        is_lost = False
        with suppress(OSError):
            while part := source.recv(65536):
                if self.silent_at and self.silent_at in part:
                    self.is_silent.set()
                is_lost = is_lost or self.is_silent.is_set()
                if not is_lost:
                    target.sendall(part)
            target.shutdown(socket.SHUT_WR)
