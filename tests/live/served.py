"""A served process, the people who use it, and their streams: over real connections, as clients have them."""

import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from itertools import count
from time import monotonic
from typing import Any, NamedTuple, Self

import psycopg2

from tests.live.events import Event, events_of
from users.sign_in.local_issuer import local_token

SECONDS = 30
"""For a busy machine: what is tested is that something comes, not when."""
numbers = count(1)


class Answer(NamedTuple):
    status: int
    headers: Any
    said: Any


class Person:
    """Somebody signed in, on a connection of their own."""

    def __init__(self, port: int, email: str) -> None:
        self.port, self.email = port, email
        self.token = local_token(email)
        self.connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        self.pk: int = self.ask("POST", "/api/users", {"email": email, "displayName": "Al"}).said["id"]

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status < 500, text
        return Answer(answer.status, answer.headers, json.loads(text) if text else None)

    def writes(self, group: int, activity: str) -> int:
        body = {"userId": self.pk, "activity": activity}
        return max(each["id"] for each in self.ask("POST", f"/api/groups/{group}/activities", body).said)

    def founds(self, name: str, *others: "Person") -> int:
        group: int = self.ask("POST", "/api/groups", {"name": name}).said["id"]
        for other in others:
            for who, part in ((self, "groupInvitees"), (other, "groupMembers")):
                made = who.ask("POST", f"/api/groups/{group}/{part}", {"userId": other.pk})
                assert made.status == 201, made
        return group

    def follows(self, place: str = "", **options: Any) -> "Stream":
        return Stream(self.port, {"Authorization": f"Bearer {self.token}"}, place, **options)


class Stream:
    """What comes, as it comes. Closed by its `close`, or by the server."""

    def __init__(
        self, port: int, headers: dict[str, str], place: str = "", *, query: str = "", receives: int = 0
    ) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        self.socket = socket.socket()
        self.socket.settimeout(SECONDS)
        if receives:  # bytes that the system takes for who does not read
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
        self.socket.connect(("127.0.0.1", port))
        self.connection.sock = self.socket
        headers = {**headers, "Last-Event-ID": place} if place else headers
        self.connection.request("GET", f"/api/live{query}", headers=headers)
        self.answer: HTTPResponse = self.connection.getresponse()
        self.status = self.answer.status
        self.rest, self.told = b"", 0
        self.events: list[Event] = []
        self.until = monotonic() + SECONDS
        self.is_over = False
        """Whether the server has ended it, as answers end in HTTP."""

    @property
    def place(self) -> str:
        return self.events[-1].id

    def hears(self, name: str, **data: Any) -> list[Event]:
        """What came since the last time, up to an event of this name, with this in its data."""
        known = self.told
        while True:
            for at in range(known, len(self.events)):
                event = self.events[at]
                if event.name == name and data.items() <= event.data.items():
                    heard, self.told = self.events[self.told : at + 1], at + 1
                    return heard
            known = len(self.events)
            if not self.read():
                raise AssertionError(f"It ended before {name} came: {self.events[self.told :]}")

    def ends(self) -> list[Event]:
        """What came since the last time, up to its end."""
        while self.read():
            pass
        return self.events[self.told :]

    def read(self) -> bool:
        """Whether anything came."""
        if monotonic() > self.until:  # comments would come for ever
            raise TimeoutError([event.name for event in self.events[self.told :]])
        try:
            came = self.answer.read1(65536)
        except (IncompleteRead, ConnectionError):
            return False
        self.is_over = not came
        whole, end, self.rest = (self.rest + came).rpartition(b"\n\n")
        self.events += events_of(whole + end)
        return bool(came)

    def close(self) -> None:
        self.answer.close()
        self.connection.close()
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def by_hand(url: str, *, is_committed: bool = True) -> Iterator[Any]:
    """A cursor of a connection that nobody else has; unless `is_committed`, what it does is once it commits."""
    if url.startswith("postgres"):
        made = psycopg2.connect(url)
        made.autocommit = is_committed
    else:
        made = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=SECONDS)
    try:
        yield made.cursor()
    finally:
        made.close()
