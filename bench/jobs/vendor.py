"""A vendor that takes keys: what is asked for twice by one key is done once, and some of its answers are lost."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

FAILS = 0.03
VENDOR = "BENCH_VENDOR"
"""The environment's name of its address."""


class Vendor:
    def __init__(self, seed: int) -> None:
        self.chance, self.lock = random.Random(seed), Lock()
        self.asked, self.done = Counter[int](), set[int]()

    def take(self, key: int) -> int:
        """The status of the answer: of those that fail, half have done what was asked for."""
        with self.lock:
            self.asked[key] += 1
            fails = self.chance.random() < FAILS
            if not fails or self.chance.random() < 0.5:
                self.done.add(key)
            return 503 if fails else 200


@contextmanager
def served(vendor: Vendor) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(vendor.take(int(self.headers["Idempotency-Key"])))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
