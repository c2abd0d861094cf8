"""A client whose polls go through the door, in the test's own transaction."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from threading import Thread
from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.http.response import ResponseHeaders
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from groups import versions
from tests.conftest import Client
from tests.hostile.server import open_connection
from voicechat.front.bridge import Bridge
from voicechat.front.door import Door
from voicechat.front.lines import Line
from voicechat.handler import Handler

TIMES = 3
"""The first poll is noted, the second is built, and the third is given from what is kept."""
Headers = dict[str, str] | Iterable[tuple[str, str]]
DIFFERENT_EACH_TIME = ("x-request-id", "date", "connection", "keep-alive")


class Here(Executor):
    """Runs what the loop's thread submits in the thread of the test, which has the transaction."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def job() -> None:
            try:
                future.set_result(work(*args, **kwargs))
            except BaseException as error:  # it is raised where it is waited for
                future.set_exception(error)

        self.jobs.put(job)
        return future

    def run_until(self, done: Future[Any]) -> Any:
        done.add_done_callback(lambda _: self.jobs.put(lambda: None))
        while not done.done():
            self.jobs.get()()
        return done.result()


class OwnConnection(Line):
    """Asks over the test's connection."""

    def __init__(self, here: Here) -> None:
        super().__init__()
        self.here = here

    def go_on(self) -> None:
        polls, loop = self.take(), self.loop

        def tell(done: Future[list[versions.Answer]]) -> None:
            loop.call_soon_threadsafe(lambda: self.hear(done.result()))

        self.here.submit(asked, polls).add_done_callback(tell)


def asked(polls: list[versions.Poll]) -> list[versions.Answer]:
    connection.ensure_connection()
    cursor = connection.connection.cursor()
    try:
        return versions.ask(cursor, versions.QUESTION[connection.vendor], polls)
    finally:
        cursor.close()


class Transport:
    def __init__(self):
        self.written, self.is_closed = b"", False

    def write(self, data):
        self.written += data

    def is_closing(self):
        return False

    def close(self):
        self.is_closed = True

    def pause_reading(self):
        pass

    resume_reading = pause_reading


def answered_here(environ: dict[str, Any], start_response: Any) -> Any:
    with open_connection():
        answer = Handler()(environ, start_response)
        answer.close()
    answer.close = lambda: None  # once more, it would close the connection too
    return answer


class Through(Client):
    """Each GET is asked of Django and then of the door, three times: the answers must be the same."""

    def __init__(self, **defaults: Any) -> None:
        super().__init__(**defaults)
        self.times = TIMES
        self.here = Here()
        bridge = Bridge(answered_here, 1)
        bridge.threads = self.here
        self.door = Door(bridge, OwnConnection(self.here))
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def generic(self, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        answer = super().generic(method, path, *args, **kwargs)
        if method == "GET" and not answer.streaming:
            expected = told(answer)
            for time in range(self.times):
                given = told(self.poll(path, kwargs.get("headers", {})))
                assert given == expected, f"at the {time + 1}. poll of {path}"
        return answer

    def poll(self, path: str, headers: Headers = (), **how: Any) -> HttpResponse:
        """`how` says a `method`, and whether the connection is to stay (`keep_alive`)."""
        return self.run(self.polled(path, headers, **how))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.here.run_until(asyncio.run_coroutine_threadsafe(work, self.loop))

    async def polled(
        self, path: str, headers: Headers = (), *, method: str = "GET", keep_alive: bool = True
    ) -> HttpResponse:
        transport, done = Transport(), asyncio.Event()
        path, _, query = path.partition("?")
        cycle = RequestResponseCycle(
            scope={
                "type": "http",
                "method": method,
                "raw_path": path.encode(),
                "query_string": query.encode(),
                "http_version": "1.1",
                "scheme": "http",
                "client": ("127.0.0.1", 1),
                "server": ("127.0.0.1", 80),
                "headers": [
                    (b"host", b"testserver"),
                    *((name.lower().encode(), value.encode()) for name, value in dict_or_pairs(headers)),
                ],
            },
            transport=transport,
            flow=FlowControl(transport),
            logger=logging.getLogger("uvicorn.error"),
            access_logger=logging.getLogger("uvicorn.access"),
            access_log=False,
            default_headers=[],
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=keep_alive,
            on_response=done.set,
        )
        tasks: list[asyncio.Task[None]] = []
        self.door.take(cycle, lambda work, **_: tasks.append(self.loop.create_task(cycle.run_asgi(lambda *_: work))))
        await asyncio.wait_for(done.wait(), 60)
        await asyncio.gather(*tasks)
        assert transport.is_closed != keep_alive
        head, _, body = transport.written.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        answer = HttpResponse(body, status=int(status.split()[1]))
        answer.headers = ResponseHeaders(dict(line.split(": ", 1) for line in lines))  # and no type that Django adds
        return answer


def dict_or_pairs(headers: Headers) -> Iterable[tuple[str, str]]:
    return headers.items() if isinstance(headers, dict) else headers


def told(answer: HttpResponse) -> tuple[int, dict[str, str], bytes]:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    for name in DIFFERENT_EACH_TIME:
        headers.pop(name, None)
    return answer.status_code, headers, answer.content
