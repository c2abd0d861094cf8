"""The page of clients/captions beside the operators': with captions of all kinds, and somebody who is speaking."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from bench.database import ROOT
from bench.live import Writer

SAYS_MORE = """UPDATE "partialCaptions" SET "sequenceId" = "sequenceId" + 1, text = 'words: ' || "sequenceId" """
FOLDER = ROOT / "clients" / "captions"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


def speak(database: str, ends: Event) -> None:
    """Only what is said from now on is told."""
    writer = Writer(database)
    while not ends.wait(1):
        writer.run(SAYS_MORE)
    writer.connection.close()


@contextmanager
def caption_page(api: str, database: str, group: int) -> Iterator[dict[str, Any]]:
    """For `check.mjs`, as it follows this group at this server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(FOLDER))) as origin:
        ends = Event()
        Thread(target=origin.serve_forever, daemon=True).start()
        Thread(target=speak, args=(database, ends), daemon=True).start()
        path = f"http://127.0.0.1:{origin.server_port}/index.html#server={api}&group={group}"
        yield {"name": "captions of a call", "path": path, "session": None, "has": "#partials li"}
        ends.set()
        origin.shutdown()
