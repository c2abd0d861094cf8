"""Asks one route again and again over a few kept connections, and notes how long each answer took."""

import re
import socket
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import cycle
from threading import Barrier, BrokenBarrierError, Event, Thread
from time import perf_counter

CONNECTIONS = 8
WARM_UP_SECONDS = 0.3
WAITING = 4  # connections that wait for a slow route while another is measured beside it


@dataclass(frozen=True)
class Route:
    name: str
    path: str
    unchanged: bool = False
    """The client sends the ETag that it was given, and 304 is the right answer."""
    beside: str = ""
    """A slow route that others ask at the same time; their answers are not measured."""
    token: str = ""
    """Whose sign-in comes with each request."""
    connections: int = CONNECTIONS
    paths: tuple[str, ...] = ()
    """Asked in turn, in place of `path`;"""
    are_first: bool = False
    """each once, where none has been asked for before."""


@dataclass(frozen=True)
class Result:
    seconds: float
    times: list[float]
    """How long each answer took, in seconds."""

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds

    def percentile(self, part: int) -> float:
        return sorted(self.times)[len(self.times) * part // 100]


class Connection:
    """Says and reads no more of HTTP than is measured: a client of Python's own would be slower than the server."""

    LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
    ETAG = re.compile(rb"\r\netag: (\S+)\r\n", re.IGNORECASE)

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket = self.connect()

    def connect(self) -> socket.socket:
        connected = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected

    def get(self, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and head; the body is read to its end."""
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        received = b""
        while b"\r\n\r\n" not in received:
            if not (part := self.socket.recv(65536)):
                raise ConnectionError("The server closed the connection.")
            received += part
        head, _, body = received.partition(b"\r\n\r\n")
        head += b"\r\n"
        status, length = int(head[9:12]), self.LENGTH.search(head)
        missing = (int(length[1]) if length and status != 304 else 0) - len(body)
        while missing > 0:
            missing -= len(self.socket.recv(65536))
        if b"\r\nconnection: close" in head.lower():  # sync workers close each
            self.close()
            self.socket = self.connect()
        return status, head

    def close(self) -> None:
        self.socket.close()


class WrongAnswerError(Exception):
    """A route did not answer, or not with the status that it should."""


class Load:
    """The load of one route: at most so many seconds and so many requests, whichever comes first."""

    def __init__(self, port: int, route: Route, seconds: float, most: int) -> None:
        self.port, self.route, self.seconds, self.most = port, route, seconds, most
        self.headers = {"Authorization": f"Bearer {route.token}"} if route.token else {}
        self.times: list[float] = []
        self.faults: list[str] = []
        self.stop = Event()
        self.ready = Barrier(route.connections + 1)
        self.paths = iter(route.paths) if route.are_first else cycle(route.paths or (route.path,))

    def run(self) -> Result:
        """Raises WrongAnswerError with the first fault's words."""
        if self.route.unchanged:
            self.headers["If-None-Match"] = self.etag()
        measured = [self.start(self.measure) for _ in range(self.route.connections)]
        others = [self.start(self.wait) for _ in range(WAITING if self.route.beside else 0)]
        with suppress(BrokenBarrierError):
            self.ready.wait()
        begin = perf_counter()
        for thread in measured:
            thread.join()
        seconds = perf_counter() - begin
        self.stop.set()
        for thread in others:
            thread.join()
        if self.faults:
            raise WrongAnswerError(self.faults[0])
        return Result(seconds, self.times)

    def start(self, work: Callable[[Connection], None]) -> Thread:
        (thread := Thread(target=self.work, args=(work,), daemon=True)).start()
        return thread

    def work(self, work: Callable[[Connection], None]) -> None:
        with closing(self.connection()) as connection, suppress(BrokenBarrierError):
            try:
                work(connection)
            except (WrongAnswerError, OSError) as fault:
                self.faults.append(f"GET {self.route.path}: {fault!r}")
                self.stop.set()
                self.ready.abort()

    def connection(self) -> Connection:
        return Connection(self.port)

    def measure(self, connection: Connection) -> None:
        """A worker's first answer pays for imports and prepared code: the clock starts later."""
        end = perf_counter() + WARM_UP_SECONDS
        while perf_counter() < end:
            self.ask(connection, self.route.path)
        self.ready.wait()
        end = perf_counter() + self.seconds
        while len(self.times) < self.most and perf_counter() < end and not self.stop.is_set():
            if (path := next(self.paths, None)) is None:
                return
            self.times.append(self.ask(connection, path))

    def wait(self, connection: Connection) -> None:
        while not self.stop.is_set():
            self.ask(connection, self.route.beside)

    def ask(self, connection: Connection, path: str) -> float:
        """The seconds to the answer's last byte."""
        expected, begin = 304 if self.route.unchanged else 200, perf_counter()
        status, head = connection.get(path, self.headers)
        if status != expected:
            raise WrongAnswerError(f"{status} instead of {expected}: {head[:200]!r}")
        return perf_counter() - begin

    def etag(self) -> str:
        with closing(self.connection()) as connection:
            _, head = connection.get(self.route.path, self.headers)
            found = Connection.ETAG.search(head)
            return found[1].decode() if found else ""


def load(port: int, route: Route, seconds: float, most: int) -> Result:
    return Load(port, route, seconds, most).run()


def ask_before(port: int, route: Route) -> None:
    """All its paths, often enough for a server that keeps what is asked for again."""
    asks = Load(port, route, 0, 0)
    with closing(asks.connection()) as connection:
        for path in route.paths * 3:
            asks.ask(connection, path)
