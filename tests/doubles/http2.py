"""HTTP/2 on the loopback, without TLS and without the words of HTTP/1.1 before it.

https://www.rfc-editor.org/rfc/rfc9113#section-3.3
"""

import json
from collections import defaultdict
from contextlib import suppress
from email.message import Message
from socket import SHUT_RDWR
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded
from h2.exceptions import ProtocolError

from tests.doubles.server import Double, Request

READ = 65_536


class Handler(BaseRequestHandler):
    """One connection, whose streams are answered by a thread each."""

    def handle(self) -> None:
        self.server.double.connections += 1  # type: ignore[attr-defined]
        self.connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.lock = Lock()
        heads: dict[int, list[tuple[str, str]]] = {}
        bodies: defaultdict[int, bytes] = defaultdict(bytes)
        self.connection.initiate_connection()
        self.flush()
        try:
            while octets := self.request.recv(READ):
                with self.lock:
                    events = self.connection.receive_data(octets)
                self.flush()
                for event in events:
                    if isinstance(event, RequestReceived):
                        heads[event.stream_id] = event.headers
                    elif isinstance(event, DataReceived):
                        bodies[event.stream_id] += event.data
                        with self.lock:
                            self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    elif isinstance(event, StreamEnded):
                        sent = request_of(heads.pop(event.stream_id), bodies.pop(event.stream_id, b""))
                        Thread(target=self.answer, args=(event.stream_id, sent), daemon=True).start()
        except (OSError, ProtocolError):
            return

    def answer(self, stream: int, sent: Request) -> None:
        double: Http2Double = self.server.double  # type: ignore[attr-defined]
        try:
            answer = double.respond(sent)
        except ConnectionError:
            with suppress(OSError):
                self.request.shutdown(SHUT_RDWR)
            return
        except Exception as error:
            double.handler_errors.append(error)
            raise
        with self.lock:
            headers = {":status": str(answer.status), "content-type": "application/json", **answer.headers}
            self.connection.send_headers(stream, list(headers.items()))
            said = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            self.connection.send_data(stream, said.encode(), end_stream=True)
        with suppress(OSError):  # who asked may be gone
            self.flush()

    def flush(self) -> None:
        with self.lock:
            self.request.sendall(self.connection.data_to_send())


def request_of(head: list[tuple[str, str]], body: bytes) -> Request:
    headers = Message()
    for name, value in head:
        headers[name] = value
    url = urlsplit(headers[":path"])
    return Request(headers[":method"], url.path, parse_qs(url.query), headers, body)


class Server(ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128  # of five, more who come at once are reset on a busy machine
    daemon_threads = True


class Http2Double(Double):
    """A double that is met over HTTP/2."""

    connections = 0

    def start(self) -> None:
        self.tcp = Server(("127.0.0.1", 0), Handler)
        self.tcp.double = self  # type: ignore[attr-defined]
        self.thread = Thread(target=self.tcp.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self.tcp.shutdown()
        self.tcp.server_close()
        self.thread.join()
        self.check_handler_errors()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.tcp.server_address[1]}"

    def __enter__(self) -> Any:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
