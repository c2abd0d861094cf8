"""A vendor on the loopback: it speaks the vendor's HTTP, keeps what it was sent, and fails when a test says so."""

import json
import logging
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_string
from email.message import Message
from enum import Enum, auto
from socket import SHUT_RDWR
from threading import Event, Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

import werkzeug
from pytest_httpserver import HTTPServer

logging.getLogger("werkzeug").setLevel(logging.CRITICAL)  # the tests ask `requests` instead
HANG = 10.0  # seconds; a test sets the client's timeout far below, and the end of the test ends it at once


class Fault(Enum):
    SERVER_ERROR = auto()
    HANG = auto()
    DROP = auto()
    """The connection breaks before any work is done."""
    LOSE_ANSWER = auto()
    """The work is done, and then the connection breaks."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: Message
    body: bytes

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode(), keep_blank_values=True)

    def get(self, name: str, default: str = "") -> str:
        return (self.form.get(name) or self.query.get(name) or [default])[0]


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any] | str
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):  # noqa: N818  # not a fault of the double: it is what the vendor answers
    def __init__(self, answer: Answer) -> None:
        self.answer = answer


Route = tuple[str, str, Callable[..., "dict[str, Any] | Answer"]]


class Double(HTTPServer):
    """`routes` are (method, pattern of the path, function of the request and the pattern's groups)."""

    routes: tuple[Route, ...] = ()

    def __init__(self) -> None:
        super().__init__("127.0.0.1", 0, threaded=True)
        self.requests: list[Request] = []
        self.faults: deque[Fault | Answer] = deque()
        self.stopping = Event()
        self.lock = Lock()

    def fail_next(self, *faults: Fault | Answer) -> None:
        """One for each of the next requests; an Answer is given as it stands."""
        self.faults.extend(faults)

    def sent(self, method: str, path: str) -> list[Request]:
        return [each for each in self.requests if each.method == method and re.fullmatch(path, each.path)]

    def check(self, request: Request) -> None:
        """Raises a Refusal for whom the vendor does not know."""

    def not_found(self, request: Request) -> Answer:
        raise NotImplementedError

    def server_error(self, request: Request) -> Answer:
        raise NotImplementedError

    def answer(self, request: Request) -> Answer:
        try:
            self.check(request)
            return self.work(request)
        except Refusal as refusal:
            return refusal.answer

    def work(self, request: Request) -> Answer:
        for method, pattern, function in self.routes:
            found = re.fullmatch(pattern, request.path)
            if found and method == request.method:
                result = function(self, request, *found.groups())
                return result if isinstance(result, Answer) else Answer(200, result)
        return self.not_found(request)

    def respond(self, request: Request) -> Answer:
        """What `answer` says, unless a fault comes before it. A ConnectionError breaks the connection."""
        with self.lock:
            self.requests.append(request)
            fault = self.faults.popleft() if self.faults else None
            if isinstance(fault, Answer):
                return fault
            if fault is Fault.SERVER_ERROR:
                return self.server_error(request)
            if fault in (None, Fault.LOSE_ANSWER):
                answer = self.answer(request)
        if fault is Fault.HANG:
            self.stopping.wait(HANG)
        if fault:
            raise ConnectionError
        return answer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # What pytest-httpserver asks

    def dispatch(self, request: werkzeug.Request) -> werkzeug.Response:
        url = urlsplit(request.environ["RAW_URI"])
        headers = message_from_string(str(request.headers))
        sent = Request(request.method, url.path, parse_qs(url.query), headers, request.get_data())
        try:
            answer = self.respond(sent)
        except ConnectionError:
            request.environ["werkzeug.socket"].shutdown(SHUT_RDWR)  # Werkzeug alone would wait for the next request
            raise
        except Exception as error:
            self.handler_errors.append(error)
            raise
        if isinstance(answer.body, str):
            return werkzeug.Response(answer.body, answer.status, answer.headers, mimetype="text/html")
        return werkzeug.Response(json.dumps(answer.body), answer.status, answer.headers, mimetype="application/json")

    def thread_target(self) -> None:
        self.server.daemon_threads = False  # or the end would not wait for them
        self.server.serve_forever(poll_interval=0.01)

    def stop(self) -> None:
        self.stopping.set()
        super().stop()
        self.check_handler_errors()
