"""One server as its clients meet it: each answer, and each connection that broke, is noted."""

import json
import math
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any

BROKEN = 0
"""The status of a request whose connection was refused or broke."""
UNAVAILABLE = "database_unavailable"
PATIENCE = 40.0  # seconds; the server spends at most 20 of them on vendors
ALLOWED = (BROKEN, 200, 204, 409, 503)


@dataclass(frozen=True)
class Answer:
    """What one request came to. The times are the monotonic clock's."""

    door: str
    asked: float
    answered: float
    status: int
    data: Any
    wait: str | None
    """Its Retry-After."""

    @property
    def code(self) -> str:
        return self.data.get("code", "") if isinstance(self.data, dict) else ""

    @property
    def is_fault(self) -> bool:
        """Whatever breaks, the server says so by 503, and when to try again."""
        return self.status not in ALLOWED or (self.status == 503 and not self.wait)

    @property
    def is_success(self) -> bool:
        return self.status in (200, 204)


@dataclass
class Line:
    port: int
    answers: list[Answer] = field(default_factory=list)

    def ask(
        self, door: str, method: str, path: str, body: object = None, patience: float = PATIENCE, **headers: str
    ) -> Answer:
        """Over a connection of its own, as phones do. `door` is the name under which it is counted."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        asked = time.monotonic()
        status, data, wait = BROKEN, None, None
        try:
            with closing(HTTPConnection("127.0.0.1", self.port, timeout=patience)) as connection:
                connection.request(method, path, sent, {"Content-Type": "application/json", **headers})
                response = connection.getresponse()
                text = response.read()
                status, wait, data = response.status, response.headers["Retry-After"], json.loads(text or "null")
        except (HTTPException, OSError) as fault:
            data = type(fault).__name__
        except ValueError:  # not JSON
            data = text.decode(errors="replace")[:300]
        answer = Answer(door, asked, time.monotonic(), status, data, wait)
        self.answers.append(answer)
        return answer

    def count(self, *doors: str, status: int | None = None, code: str = "") -> int:
        found = (each for each in self.answers if not doors or each.door in doors)
        return sum(1 for each in found if status in (None, each.status) and code in ("", each.code))

    def faults(self) -> Counter[str]:
        said = (f"{each.door}: {each.status} {str(each.data)[:200]}" for each in self.answers if each.is_fault)
        return Counter(said)

    def time_back(self, since: float) -> float:
        """How long it took until somebody was answered with success who asked after this time."""
        answered = (each.answered for each in self.answers if each.is_success and each.asked >= since)
        return min(answered, default=math.inf) - since
