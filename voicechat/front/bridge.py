"""From a connection on the event loop to Django in a thread, and back: one hand-over each way.

A thread is taken when a request has come whole, and is free when its answer has been made: a client that sends or reads
slowly holds none. https://peps.python.org/pep-3333/
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from core.metrics.counted import counted
from core.metrics.families import REQUESTS
from voicechat.errors import problem
from voicechat.listening import KEEP_ALIVE
from voicechat.middleware import MOST_READ, largest_body

Environ = dict[str, Any]
Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]

PAUSE_SECONDS = 30
"""Between two parts of a body, or of an answer that is read: a phone between two cells may pause that long."""
SMALL = 64 * 1024
"""Bytes of a body that are taken in at once. For larger ones there are places."""
PLACES = 16
"""So many larger bodies, of 5 MiB at most, are taken in at once; other clients wait with theirs."""
STAYING: Headers = [(b"connection", b"keep-alive"), (b"keep-alive", b"timeout=%d" % (KEEP_ALIVE - 2))]
"""For how many seconds the connection may be used again, or a phone would send its second request into one that is just
being closed, and lose it. A little less than it is. https://www.rfc-editor.org/rfc/rfc2068#section-19.7.1"""
ENDING: Headers = [(b"connection", b"close")]
LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")


class Bridge:
    """Serves a WSGI application in so many threads."""

    def __init__(self, application: Callable[..., Any], threads: int) -> None:
        self.application = application
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix="django")
        self.places = asyncio.Semaphore(PLACES)
        self.is_leaving = False
        """Whether each answer from now on is the last on its connection."""

    def leave(self) -> None:
        self.is_leaving = True

    def take(self, cycle: RequestResponseCycle, start: Callable[[Any], None]) -> None:
        """Answers the request; `start` runs a coroutine of it as a task."""
        start(self(cycle))

    async def __call__(self, cycle: RequestResponseCycle) -> None:
        await self.serve(cycle, environ_of(cycle))

    async def serve(self, cycle: RequestResponseCycle, environ: Environ) -> None:
        if answer := await self.hear_out(cycle, environ):
            await send(cycle, answer)

    async def hear_out(self, cycle: RequestResponseCycle, environ: Environ) -> Answer | None:
        """What is answered to the request, once it has come whole. None where nothing is left to be sent."""
        try:
            if "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ:
                await self.take_in(cycle, environ)
        except TimeoutError:
            cycle.keep_alive = False
            return refusal(408, "request_timeout", f"Nothing of the body came for {PAUSE_SECONDS} seconds.")
        if cycle.disconnected:  # what has come is no request
            return None
        return await self.ask(cycle, environ)

    async def ask(self, cycle: RequestResponseCycle, environ: Environ) -> Answer | None:
        """What the application answers. None where that came in parts, and has been sent."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, self.answer, environ, cycle, loop)

    async def take_in(self, cycle: RequestResponseCycle, environ: Environ) -> None:
        """Puts the body into the environ, with its length; of one that will be refused the length alone.

        Such a one is still read to its end, within reason: an answer before that would reach its client as a reset.
        Raises TimeoutError where nothing comes any more.
        """
        declared, most = environ.get("CONTENT_LENGTH", ""), largest_body(environ["PATH_INFO"])
        if not environ.pop("HTTP_TRANSFER_ENCODING", "") and int(declared) > MOST_READ:
            cycle.keep_alive = False
            return
        body, length, place = bytearray(), 0, None
        try:
            more = True
            while more and length <= MOST_READ:
                async with asyncio.timeout(PAUSE_SECONDS):
                    message: Any = await cycle.receive()
                if message["type"] == "http.disconnect":
                    return
                length += len(message["body"])
                body += message["body"]
                if length > most:
                    body.clear()
                more = message["more_body"]
                if more and place is None and len(body) > SMALL:
                    place = await self.places.acquire()
            cycle.keep_alive &= not more
        finally:
            if place:
                self.places.release()
        environ["CONTENT_LENGTH"] = str(length)
        environ["wsgi.input"] = BytesIO(body)

    def answer(self, environ: Environ, cycle: RequestResponseCycle, loop: AbstractEventLoop) -> Answer | None:
        """In a thread."""
        begun: list[Any] = []
        response = self.application(environ, lambda *given: begun.extend(given))
        try:
            status = int(begun[0][:3])
            headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in begun[1]]
            if not getattr(response, "streaming", True):  # Django's answers say so
                return status, headers, b"".join(response)
            stream(response, status, headers, cycle, loop)
            return None
        finally:
            response.close()


def environ_of(cycle: RequestResponseCycle) -> Environ:
    """https://peps.python.org/pep-3333/#environ-variables

    A name with an underscore would read as another one with a hyphen, which a proxy has set: it is left out.
    """
    scope = cycle.scope
    client, server = scope["client"] or ("", 0), scope["server"] or ("", 0)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "RAW_URI": scope["raw_path"].decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw, value in scope["headers"]:
        if b"_" in raw:
            continue
        name = raw.decode("latin-1").replace("-", "_").upper()
        key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    if client[0] in LOOPBACK and environ.get("HTTP_X_FORWARDED_PROTO") == "https":
        environ["wsgi.url_scheme"] = "https"  # a proxy on this machine, in development too
    return environ


def stream(parts: Iterable[bytes], status: int, headers: Headers, cycle: RequestResponseCycle, loop: Any) -> None:
    """In a thread: the parts as they are made. Somebody who does not read them for long is left."""

    def say(**message: Any) -> None:
        try:
            asyncio.run_coroutine_threadsafe(cycle.send(message), loop).result(PAUSE_SECONDS)  # type: ignore[arg-type]
        except TimeoutError:
            loop.call_soon_threadsafe(cycle.transport.abort)
            raise

    say(type="http.response.start", status=status, headers=[*headers, *staying_open(cycle)])
    for part in parts:
        if cycle.disconnected:
            return
        say(type="http.response.body", body=part, more_body=True)
    say(type="http.response.body", body=b"", more_body=False)


async def send(cycle: RequestResponseCycle, answer: Answer) -> None:
    status, headers, body = answer
    headers = [*headers, *staying_open(cycle)]
    await cycle.send({"type": "http.response.start", "status": status, "headers": headers})
    await cycle.send({"type": "http.response.body", "body": body, "more_body": False})


def staying_open(cycle: RequestResponseCycle) -> Headers:
    """Where it does not, uvicorn says so."""
    return STAYING if cycle.keep_alive else []


def refusal(status: int, code: str, detail: str) -> Answer:
    """Of what is no request for Django. It ends the connection."""
    counted.count(REQUESTS, "other", "none", status)
    said = problem(status, code, detail)
    headers = {"content-type": said["Content-Type"], "content-length": str(len(said.content))}
    headers["cache-control"] = "no-store"
    return status, [*((name.encode(), value.encode()) for name, value in headers.items()), *ENDING], said.content


def written(headers: Headers) -> bytes:
    return b"".join(b"%s: %s\r\n" % pair for pair in headers)
