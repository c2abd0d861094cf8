"""The product as gunicorn serves it, in a process of its own, on a database of the test's choice."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import quote

from django.db import connection

from bench.server import Server, gunicorn

FLAGS = ["--workers", "1", "--threads", "4"]


class Answer(NamedTuple):
    status: int
    wait: str | None
    """Its Retry-After."""
    seconds: float
    text: str


class Door:
    """What is asked of a server, each time on a connection of its own."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        begun = time.monotonic()
        asked = HTTPConnection("127.0.0.1", self.port, timeout=40)
        asked.request(method, path, body, headers)
        answer = asked.getresponse()
        text = answer.read().decode()
        asked.close()
        return Answer(answer.status, answer.headers["Retry-After"], time.monotonic() - begun, text)

    def ask_all(self, doors: list[tuple[str, str]]) -> list[Answer]:
        with ThreadPoolExecutor(len(doors)) as pool:
            return [*pool.map(lambda door: self.ask(*door), doors)]


@contextmanager
def served(url: str, flags: list[str] = FLAGS, probe: str = "/healthz", **environment: str) -> Iterator[Server]:
    with gunicorn("voicechat.wsgi", flags, {**os.environ, **environment, "DATABASE_URL": url}, probe) as server:
        yield server


def address(port: int | None = None, user: str | None = None, **options: str) -> str:
    """The tests' own PostgreSQL database, perhaps at another port, or as somebody else."""
    made = connection.settings_dict
    known = quote(made["USER"]) + (f":{quote(made['PASSWORD'])}" if made["PASSWORD"] else "")
    place = f"127.0.0.1:{port}" if port else f"{quote(made['HOST'], safe='')}:{made['PORT'] or 5432}"
    rest = "&".join(f"{name}={quote(value)}" for name, value in options.items())
    return f"postgres://{user or known}@{place}/{made['NAME']}{'?' if rest else ''}{rest}"
