"""Errors to Sentry, where SENTRY_DSN is set: what the log says of them, and nothing that Sentry's library would add.

That library collects by itself what it finds: requests with their bodies, headers and queries, local variables, lines
that were logged before, statements, the machine's name. New releases find more. So none of it is on, and an event is
made here from the words and places that may stand in the log (`voicechat/logs.py`). What is sent is picked once more at
the end, by the names of its members. https://develop.sentry.dev/sdk/foundations/transport/event-payloads/
"""

import atexit
import logging
import os
from traceback import walk_tb
from types import TracebackType
from typing import Any, cast

import sentry_sdk
from django.conf import settings
from sentry_sdk.types import Event, Hint

from voicechat.logs import MOST_EXCEPTIONS, MOST_FRAMES, OUR_LOGGERS, message, place, request_id

KEPT = (
    "event_id",
    "timestamp",
    "platform",
    "level",
    "logger",
    "logentry",
    "exception",
    "environment",
    "release",
    "tags",
)
OFF: dict[str, Any] = {
    "default_integrations": False,
    "auto_enabling_integrations": False,
    "data_collection": {  # what was `send_default_pii`, which new releases warn of, and then do not know
        "user_info": False,
        "cookies": {"mode": "off"},
        "http_headers": {"request": {"mode": "off"}, "response": {"mode": "off"}},
        "http_bodies": [],
        "url_query_params": {"mode": "off"},
        "database_query_data": False,
        "queues": False,
        "stack_frame_variables": False,
        "frame_context_lines": 0,
    },
    "max_breadcrumbs": 0,
    "traces_sample_rate": None,
    "auto_session_tracking": False,
    "send_client_reports": False,
    "enable_logs": False,
    "enable_metrics": False,
    "propagate_traces": False,
    "server_name": "",
}
FLUSH_SECONDS = 2.0


class ToSentry(logging.Handler):
    """Of each error that is logged. The library begins in the process that has one: it has a thread, and we fork."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.begun_in = 0

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(("sentry_sdk", "urllib3")):
            return
        if self.begun_in != os.getpid():
            self.begun_in = os.getpid()
            begin(settings.SENTRY_DSN)
        sentry_sdk.capture_event(event_of(record))


def begin(dsn: str) -> None:
    sentry_sdk.init(dsn, environment=settings.DB_ENV, before_send=picked, **OFF)
    atexit.register(sentry_sdk.flush, FLUSH_SECONDS)


def picked(event: Event, hint: Hint) -> Event:
    return cast("Event", {name: value for name, value in event.items() if name in KEPT})


def event_of(record: logging.LogRecord) -> Event:
    said = message(record, trusted=record.name.partition(".")[0] in OUR_LOGGERS)
    event: dict[str, Any] = {
        "level": record.levelname.lower() if record.levelno <= logging.ERROR else "fatal",
        "logger": record.name,
        "logentry": {"formatted": said},
        "tags": {"request_id": request_id.get() or ""},
    }
    if record.exc_info and record.exc_info[1]:
        event["exception"] = {"values": list(reversed(exceptions(record.exc_info[1])))}  # what led to it first
    return cast("Event", event)


def exceptions(error: BaseException | None) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    while error is not None and len(told) < MOST_EXCEPTIONS:
        kind = type(error)
        told.append({"type": kind.__qualname__, "module": kind.__module__, "stacktrace": frames(error.__traceback__)})
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return told


def frames(traceback: TracebackType | None) -> dict[str, Any]:
    found = [(frame.f_code, line) for frame, line in walk_tb(traceback)][-MOST_FRAMES:]
    return {
        "frames": [
            {"filename": place(code.co_filename), "function": code.co_name, "lineno": line, "in_app": is_ours(code)}
            for code, line in found
        ]
    }


def is_ours(code: Any) -> bool:
    return place(code.co_filename).partition("/")[0] in OUR_LOGGERS
