"""Publishes at METRICS_PORT what the processes of this machine have counted, and what the database says of the moment.

Each of them listens there, and whichever the system chooses answers with the sum: so there is no process more, and
none whose end would leave Prometheus without an answer.
"""

import atexit
import logging
import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from core.metrics.counted import Key, counted
from core.metrics.families import DATABASE_UP
from core.metrics.files import Files, folder_of
from core.metrics.text import CONTENT_TYPE, text

logger = logging.getLogger(__name__)

WRITTEN_EACH = 1.0
KEPT_FOR = 5.0
"""Seconds, in which the database is not asked again."""
Gauges = dict[Key, float]


def publish() -> "Publisher | None":
    """Begins it, where METRICS_PORT is set. The server serves all the same where that fails, and says so."""
    if not settings.METRICS_PORT:
        return None
    try:
        publisher = Publisher(settings.HOST, settings.METRICS_PORT, import_string(settings.METRICS_GAUGES))
    except OSError as error:
        logger.error("METRICS_PORT cannot be listened on, and nothing is counted: %s", type(error).__name__)
        return None
    publisher.begin()
    return publisher


class Publisher:
    def __init__(self, host: str, port: int, gauges: Callable[[], Gauges]) -> None:
        self.server = Server(host, port, self.told)
        self.files = Files(folder_of(port))
        self.gauges, self.asked_at, self.kept = gauges, float("-inf"), Gauges()
        self.ending = Event()

    def begin(self) -> None:
        counted.is_on = True
        atexit.register(self.end)
        Thread(target=self.server.serve_forever, daemon=True, name="metrics").start()
        Thread(target=self.go_on_writing, daemon=True, name="metrics-files").start()

    def end(self) -> None:
        """What was counted last is written too."""
        self.ending.set()
        self.files.write(counted.written())

    def go_on_writing(self) -> None:
        while not self.ending.wait(WRITTEN_EACH):
            try:
                self.files.write(counted.written())
            except OSError as error:  # no room, or somebody has removed the folder
                logger.warning("What was counted could not be written: %s", type(error).__name__)

    def told(self) -> str:
        self.files.write(counted.written())
        totals = self.files.totals()
        totals.counts.update(self.of_the_database())
        return text(totals)

    def of_the_database(self) -> Gauges:
        if monotonic() - self.asked_at >= KEPT_FOR:
            try:
                self.kept = {**self.gauges(), (DATABASE_UP,): 1}
            except Exception as error:
                logger.warning("The database's metrics are missing: %s", type(error).__name__)
                self.kept = {(DATABASE_UP,): 0}
            finally:
                connection.close()  # this thread's: scrapes are rare
            self.asked_at = monotonic()
        return self.kept


class Server(HTTPServer):
    """One answer at a time: who asks is Prometheus."""

    def __init__(self, host: str, port: int, told: Callable[[], str]) -> None:
        self.told = told
        is_both = not host and socket.has_dualstack_ipv6()
        self.address_family = socket.AF_INET6 if is_both or ":" in host else socket.AF_INET
        super().__init__((host, port), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = socket.create_server(
            (host, port), family=self.address_family, reuse_port=True, dualstack_ipv6=is_both
        )

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The library would print a trace, with the address."""
        logger.warning("Somebody who asked for metrics got none")


class Handler(BaseHTTPRequestHandler):
    timeout = 5
    server: Server

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404)
            return
        body = self.server.told().encode()
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Nothing: it would quote what was asked for."""
