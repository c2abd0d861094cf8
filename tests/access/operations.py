"""The matrix's lines as operations that can be sent, and what the server's own list of routes has."""

import json
import re
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, get_resolver

from tests.access.matrix import PUBLIC, TABLE

KNOWN = ("stranger", "invitee", "member", "owner", "staff")
NO_ONE = {"nobody": "401", "expired": "401", "forged": "401"}


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    body: str
    cells: dict[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.body}".strip()

    @property
    def route(self) -> str:
        """Without saying whom it is about."""
        path = re.sub(r"\{(self|owner|member|invitee|stranger|absent)\}", "{user_id}", self.path)
        path = re.sub(r"\{(group|link|export)\}", r"{\1_id}", path)
        return f"{self.method} {path}"

    def path_for(self, names: dict[str, Any]) -> str:
        return fill(self.path, names)

    def body_for(self, names: dict[str, Any]) -> Any:
        return json.loads(fill(self.body, names))


def fill(text: str, names: dict[str, Any]) -> str:
    return re.sub(r"\{([a-z_]+)\}", lambda match: str(names[match[1]]), text)


def private_operation(line: str) -> Operation:
    *statuses, method, path, body = [*line.split(maxsplit=8), ""][:9]
    return Operation(method, path, body, {**NO_ONE, **dict(zip(("unknown", *KNOWN), statuses, strict=True))})


def public_operation(line: str) -> Operation:
    status, method, path = line.split()
    return Operation(method, path, "", dict.fromkeys((*NO_ONE, "unknown", *KNOWN), status))


PRIVATE_OPERATIONS = [private_operation(line) for line in TABLE.splitlines()[2:] if line]
PUBLIC_OPERATIONS = [public_operation(line) for line in PUBLIC.split("\n")[1:-1]]
OPERATIONS = [*PRIVATE_OPERATIONS, *PUBLIC_OPERATIONS]


def served() -> set[str]:
    """Every operation that the server's own list of routes has, written as in `Operation.route`."""
    found = set()
    for pattern in get_resolver().url_patterns:
        path = "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
        actions = getattr(pattern.callback, "actions", None) if isinstance(pattern, URLPattern) else None
        found |= {f"{method.upper()} {path}" for method in actions or ("get",) if method != "head"}
    return found
