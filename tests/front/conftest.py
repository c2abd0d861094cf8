"""The front of the house in this process, before an application of the test's choice."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
import uvicorn

from voicechat.front.bridge import Bridge
from voicechat.front.worker import Worker

MANY_SECONDS = 30  # for a busy machine: what is tested is that an end comes, not when


class Echo:
    """Answers with what it was asked, and remembers it."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        environ["body"] = environ["wsgi.input"].read()
        self.asked.append(environ)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(environ["PATH_INFO"])))])
        return Parts([environ["PATH_INFO"].encode("latin-1")], streaming=False)


class Parts:
    """An answer as Django gives it."""

    def __init__(self, parts: Any, *, streaming: bool = True) -> None:
        self.parts, self.streaming, self.is_closed = parts, streaming, False

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.parts)

    def close(self) -> None:
        self.is_closed = True


class Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=MANY_SECONDS)

    def send(self, *parts: bytes) -> "Connection":
        for part in parts:
            self.socket.sendall(part)
        return self

    def ends(self) -> "Connection":
        """Says that nothing more comes, and goes on reading."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def read(self, until: bytes = b"") -> bytes:
        """What comes up to there; else until the server ends the connection."""
        received = b""
        try:
            while not (until and until in received) and (part := self.socket.recv(65536)):
                received += part
        except ConnectionResetError:
            pass
        return received


@contextmanager
def served(application: Any, threads: int = 1, front: type[Bridge] = Bridge) -> Iterator[Any]:
    """Gives who opens connections to it, and has uvicorn's `state`. All are closed at the end."""
    opened: list[Connection] = []
    config = uvicorn.Config(front(application, threads), log_config=None, **Worker.CONFIG_KWARGS)
    config.timeout_graceful_shutdown = 1
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(config)
        thread = Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
        thread.start()

        def connect() -> Connection:
            opened.append(Connection(listening.getsockname()[1]))
            return opened[-1]

        connect.state = server.server_state  # type: ignore[attr-defined]
        listening.listen()
        try:
            yield connect
        finally:
            for each in opened:
                each.socket.close()
            server.should_exit = True
            thread.join(MANY_SECONDS)


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def connect(echo: Echo) -> Iterator[Callable[[], Connection]]:
    with served(echo) as connect:
        yield connect
