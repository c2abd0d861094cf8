"""Sentry on the loopback: it keeps the envelopes that it is sent. https://develop.sentry.dev/sdk/foundations/envelopes/"""

import gzip
import json
from typing import Any

from tests.doubles.server import Answer, Double, Request


class SentryDouble(Double):
    """`envelopes` are whole, as they came over the wire, and with the headers that they came with."""

    def __init__(self) -> None:
        super().__init__()
        self.envelopes: list[str] = []

    @property
    def dsn(self) -> str:
        return self.url.replace("//", "//key@") + "/7"

    def answer(self, request: Request) -> Answer:
        body = request.body
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.envelopes.append(f"{request.path} {request.headers}\n{body.decode()}")
        return Answer(200, {})

    @property
    def events(self) -> list[dict[str, Any]]:
        lines = [json.loads(line) for each in self.envelopes for line in each.splitlines() if line.startswith("{")]
        return [line for line in lines if "logentry" in line]
