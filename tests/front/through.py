"""A client whose polls go through the door, in the test's own transaction."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from threading import Thread
from typing import Any

from django.db import connection
from django.http import HttpResponse
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
        self.written = b""

    def write(self, data):
        self.written += data

    def is_closing(self):
        return False

    def close(self):
        pass

    pause_reading = resume_reading = close


def answered_here(environ: dict[str, Any], start_response: Any) -> Any:
    with open_connection():
        answer = Handler()(environ, start_response)
        answer.close()
    answer.close = lambda: None  # once more, it would close the connection too
    return answer


class Through(Client):
    """Each GET of a path alone is asked of Django and then of the door, three times: the answers must be the same."""

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
        if method == "GET" and "?" not in path and not answer.streaming:
            expected = told(answer)
            for time in range(self.times):
                given = told(self.poll(path, kwargs.get("headers", {})))
                assert given == expected, f"at the {time + 1}. poll of {path}"
        return answer

    def poll(self, path: str, headers: dict[str, str]) -> HttpResponse:
        return self.here.run_until(asyncio.run_coroutine_threadsafe(self.polled(path, headers), self.loop))

    async def polled(self, path: str, headers: dict[str, str]) -> HttpResponse:
        transport, done = Transport(), asyncio.Event()
        cycle = RequestResponseCycle(
            scope={
                "type": "http",
                "method": "GET",
                "raw_path": path.encode(),
                "query_string": b"",
                "http_version": "1.1",
                "scheme": "http",
                "client": ("127.0.0.1", 1),
                "server": ("127.0.0.1", 80),
                "headers": [
                    (b"host", b"testserver"),
                    *((name.lower().encode(), value.encode()) for name, value in headers.items()),
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
            keep_alive=True,
            on_response=done.set,
        )
        tasks: list[asyncio.Task[None]] = []
        self.door.take(cycle, lambda work, **_: tasks.append(self.loop.create_task(cycle.run_asgi(lambda *_: work))))
        await asyncio.wait_for(done.wait(), 60)
        await asyncio.gather(*tasks)
        head, _, body = transport.written.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        return HttpResponse(body, status=int(status.split()[1]), headers=dict(line.split(": ", 1) for line in lines))


def told(answer: HttpResponse) -> tuple[int, dict[str, str], bytes]:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    for name in DIFFERENT_EACH_TIME:
        headers.pop(name, None)
    return answer.status_code, headers, answer.content
