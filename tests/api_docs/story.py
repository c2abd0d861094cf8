"""One line of the stories."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.openapi import operation_at


@dataclass(frozen=True)
class Story:
    status: int
    who: str
    method: str
    address: str
    sent: str
    shows: str

    def __str__(self) -> str:
        return f"{self.who}: {self.method} {self.address}"

    @property
    def path(self) -> str:
        return urlsplit(self.address).path

    @property
    def route(self) -> str:
        """`GET /api/users/{user_id}`."""
        return f"{self.method} {operation_at(self.path)[0]}"

    @property
    def accepts(self) -> str | None:
        return self.sent if re.fullmatch("[a-z]+/[a-z]+", self.sent) else None

    def body(self, names: Mapping[str, str]) -> Any:
        return json.loads(fill(self.sent, names)) if self.sent and not self.accepts else None

    def parameters(self, names: Mapping[str, str]) -> dict[str, str]:
        """Its path's and its query's."""
        place = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(self.route.partition(" ")[2]))
        found = re.fullmatch(place, self.path)
        asked = {**(found.groupdict() if found else {}), **dict(parse_qsl(urlsplit(self.address).query))}
        return {name: fill(value, names) for name, value in asked.items()}


def fill(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\{([a-z]+)\}", lambda found: names[found[1]], text)


def read(line: str) -> Story:
    told, _, shows = line.partition("  # ")
    status, who, method, address, *sent = told.split(maxsplit=4)
    return Story(int(status), who, method, address, "".join(sent).strip(), shows)
