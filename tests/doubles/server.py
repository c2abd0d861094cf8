"""A vendor on the loopback: it speaks the vendor's HTTP, keeps what it was sent, and fails when a test says so."""

import json
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from threading import Event, Lock, Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

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


class Double:
    """`routes` are (method, pattern of the path, function of the request and the pattern's groups)."""

    routes: tuple[Route, ...] = ()

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.faults: deque[Fault | Answer] = deque()
        self.broken: list[BaseException] = []
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

    def __enter__(self) -> Self:
        self.server = Server(self)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        for thread in (self.thread, *self.server.workers):
            thread.join()
        if self.broken:
            raise self.broken[0]


class Server(ThreadingMixIn, HTTPServer):
    """Joins its threads itself: the library joins only those that would keep the process alive."""

    def __init__(self, double: Double) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.double = double
        self.workers: list[Thread] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        worker = Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self.workers.append(worker)
        worker.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is not an error: the tests make it do so."""


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.0, so that no connection outlives its answer."""

    server: Server
    timeout = 5

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:  # the client did not wait
            self.close_connection = True
        except Exception as error:
            self.server.double.broken.append(error)

    def serve(self) -> None:
        double = self.server.double
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, url.path, parse_qs(url.query), self.headers, body)
        with double.lock:
            double.requests.append(request)
            fault = double.faults.popleft() if double.faults else None
            answer = self.answer(request, fault)
        if fault is Fault.HANG:
            double.stopping.wait(HANG)
        elif answer and fault is not Fault.LOSE_ANSWER:
            self.reply(answer)

    def answer(self, request: Request, fault: Fault | Answer | None) -> Answer | None:
        if isinstance(fault, Answer):
            return fault
        if fault in (Fault.HANG, Fault.DROP):
            return None
        double = self.server.double
        return double.server_error(request) if fault is Fault.SERVER_ERROR else double.answer(request)

    def reply(self, answer: Answer) -> None:
        as_text = isinstance(answer.body, str)
        body = (answer.body if as_text else json.dumps(answer.body)).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "text/html" if as_text else "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = serve  # noqa: N815  # the library's names

    def log_message(self, *args: object) -> None:
        """The tests ask `requests` instead."""
