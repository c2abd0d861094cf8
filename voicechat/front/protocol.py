"""One connection: uvicorn's reading of HTTP/1.1, stricter and with bounds, and refusals in the form of all our errors.

https://www.rfc-editor.org/rfc/rfc9112
"""

from __future__ import annotations

import asyncio
from array import array
from fcntl import ioctl
from termios import FIONREAD
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from voicechat.front.bridge import refusal, written

MOST_TARGET = 4 * 1024 + 2 * 1024
"""Bytes of a request's target: a query may be 4 KiB."""
MOST_FIELD = 20 * 1024
"""Bytes of one header field: a token of 16 KiB (two hundred groups in it), and room for a longer name."""
MOST_FIELDS = 100
MOST_HEAD = 4 * MOST_FIELD
HEAD_SECONDS = 15
"""In which a request's head must have come, from its first byte on; and a new connection's first byte."""
NEW_SECONDS = 3.0
"""In which the first request comes on a new connection, where its client has one: what is lost on the way is sent again
after a second. https://www.rfc-editor.org/rfc/rfc6298#section-2"""
AGAIN_SECONDS = 0.05
"""Between two looks at a connection that is to be closed, and on which something has come that is not read yet."""


class RefusedError(Exception):
    """What has come is not answered as a request."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(code)
        self.answer = (status, code, detail)


NO_REQUEST = RefusedError(400, "bad_request", "What was sent is not a request of HTTP/1.1.")
TARGET_TOO_LONG = RefusedError(414, "target_too_long", f"The address is longer than {MOST_TARGET} bytes.")
HEAD_TOO_LARGE = RefusedError(
    431,
    "headers_too_large",
    f"At most {MOST_FIELDS} header fields are read, of {MOST_FIELD // 1024} KiB each and {MOST_HEAD // 1024} in all.",
)
HEAD_TOO_LATE = RefusedError(408, "request_timeout", f"The request's head did not come within {HEAD_SECONDS} seconds.")


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which has no bounds of its own, answers in plain text and takes half-closed for gone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.head_bytes = 0
        """Of the request whose head is being read; 0 between requests."""
        self.head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self.made_at = self.loop.time()
        self.timeout_keep_alive_task = self.loop.call_later(HEAD_SECONDS, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.stop_head_timer()
        for cycle, _ in self.pipeline:
            cycle.disconnected = True
        self.pipeline.clear()

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn's gives None, which closes at once
        """Who has sent all may close that side, and still read: what they asked for is answered, and is the last."""
        waits = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        if waits:
            self.cycle.keep_alive = False
        return waits

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        try:
            self.parser.feed_data(data)
            self.head_bytes += len(data) if self.head_bytes else 0
            if self.head_bytes > MOST_HEAD:
                raise HEAD_TOO_LARGE if self.headers else TARGET_TOO_LONG
        except httptools.HttpParserUpgrade:  # a request as any other; what comes after it is another protocol
            self.cycle.keep_alive = False
        except (httptools.HttpParserError, RefusedError) as error:
            self.refuse(error.__context__ if isinstance(error.__context__, RefusedError) else error)
        else:
            if self.head_bytes and self.head_timer is None:
                self.head_timer = self.loop.call_later(HEAD_SECONDS, self.refuse, HEAD_TOO_LATE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.head_bytes = 1

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MOST_TARGET:
            raise TARGET_TOO_LONG

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(name) + len(value) > MOST_FIELD or len(self.headers) >= MOST_FIELDS:
            raise HEAD_TOO_LARGE
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self.head_bytes = 0
        self.stop_head_timer()
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0") or (
            version == "1.0" and any(name == b"transfer-encoding" for name, _ in self.headers)
        ):
            raise NO_REQUEST
        super().on_headers_complete()

    def is_kept(self) -> bool:
        """Whether nothing is asked on it, and its client may be about to."""
        is_answered = self.cycle is None or self.cycle.response_complete
        return is_answered and not self.head_bytes and not self.transport.is_closing()

    def shutdown(self) -> None:
        """Closes it as soon as no request is on it, nor can be under way: of a new one the first is."""
        if not self.is_kept():
            if self.cycle is not None:
                self.cycle.keep_alive = False
            return
        age = self.loop.time() - self.made_at
        if self.cycle is None and age < NEW_SECONDS:
            self.loop.call_later(NEW_SECONDS - age, self.shutdown)
        elif self.has_unread():
            self.loop.call_later(AGAIN_SECONDS, self.shutdown)
        else:
            self.transport.close()

    def has_unread(self) -> bool:
        """Whether the system has taken in what this loop, where it is late, has not seen yet: perhaps a request."""
        count = array("i", [0])
        ioctl(self.transport.get_extra_info("socket").fileno(), FIONREAD, count)
        return count[0] > 0

    def stop_head_timer(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None

    def refuse(self, error: BaseException) -> None:
        """Answers what can be no request, after what was asked before it, and ends the connection."""
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False  # its answer is the last one
            return
        status, headers, body = refusal(*(error if isinstance(error, RefusedError) else NO_REQUEST).answer)
        headers = [*self.server_state.default_headers, *headers]
        self.transport.write(STATUS_LINE[status] + written(headers) + b"\r\n" + body)
        self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        start_task = super()._start_asgi_task

        if app.is_leaving:
            cycle.keep_alive = False

        def start(work: Any, *, is_counted: bool = True) -> None:
            self.server_state.total_requests += is_counted
            start_task(cycle, lambda *_: work)

        app.take(cycle, start)

    def on_response_complete(self) -> None:
        """A worker is replaced after so many requests of Django's, which are counted where they begin: polls that the
        door answers itself, and streams, would have it replaced all the time."""
        super().on_response_complete()
        self.server_state.total_requests -= 1
