"""What `/api/live` tells of a group's captions, as it comes."""

import json
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from select import select
from socket import socket
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import CommandError

from voice.simulation.api_client import TIMEOUT, Server

OK = 200
PART = 65536  # bytes


class CaptionStream:
    """Goes on where it was cut, by the last id. Raises CommandError where the server refuses it."""

    def __init__(self, server: Server, group_id: int) -> None:
        self.server, self.group_id = server, group_id
        self.answer: HTTPResponse | None = None
        self.line: socket | None = None
        self.rest, self.place = b"", ""

    def news(self, seconds: float) -> list[dict[str, Any]]:
        """The data of each `caption` that has come, with nothing more for so long."""
        heard: list[dict[str, Any]] = []
        while (part := self.part(seconds)) is not None:
            *blocks, self.rest = (self.rest + part).split(b"\n\n")
            heard += [data for block in blocks if (data := self.read(block.decode()))]
        return heard

    def part(self, seconds: float) -> bytes | None:
        """None where nothing came, or it has ended: then the next one goes on."""
        answer, line = self.opened()
        try:
            if not self.has_come(answer, line, seconds):
                return None
            part = answer.read1(PART)
        except (OSError, HTTPException):
            part = b""
        if not part:
            self.close()
            return None
        return part

    @staticmethod
    def has_come(answer: HTTPResponse, line: socket, seconds: float) -> bool:
        """Whether there is anything to read, or nothing more ever: in what was read ahead, or on the line."""
        if answer.fp is None or answer.length == 0:
            return True
        line.settimeout(0)
        is_there = bool(answer.fp.peek(1))
        line.settimeout(TIMEOUT)
        return is_there or bool(select([line], [], [], seconds)[0])

    def read(self, block: str) -> dict[str, Any] | None:
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        self.place = fields.get("id", self.place)
        data: dict[str, Any] | None = json.loads(fields["data"]) if fields.get("event") == "caption" else None
        return data

    def opened(self) -> tuple[HTTPResponse, socket]:
        if self.answer is None or self.line is None:
            parts = urlsplit(self.server.base)
            connection = (HTTPSConnection if parts.scheme == "https" else HTTPConnection)(parts.netloc, timeout=TIMEOUT)
            headers = {**self.server.signed_in(), **({"Last-Event-ID": self.place} if self.place else {})}
            connection.request("GET", f"{parts.path}/api/live?groupId={self.group_id}", headers=headers)
            self.line, self.answer = connection.sock, connection.getresponse()
            if self.answer.status != OK:
                raise CommandError(f"GET /api/live: {self.answer.status} {self.answer.read().decode()}")
        return self.answer, self.line

    def close(self) -> None:
        if self.answer and self.line:
            self.answer.close()
            self.line.close()
        self.line, self.answer, self.rest = None, None, b""
