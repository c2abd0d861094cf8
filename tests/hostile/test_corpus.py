"""Every hostile case against every operation, by a group's owner who is signed in, and by anybody in open mode."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from zlib import crc32

import pytest

from tests.access.rows import all_rows, changed
from tests.hostile.conftest import EXAMPLES
from tests.hostile.corpus import BODIES, FAMILIES, FORM, FORM_TEXTS, HEADERS, JSON, METHODS, PATHS, QUERIES, VALUES
from tests.openapi import document
from voicechat.middleware import tell_of_proxy

CALLERS = ("owner", "anybody")


@dataclass(frozen=True)
class Operation:
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def body(self) -> dict[str, Any]:
        """The schema of its JSON body: {} where there is none."""
        described = document()["paths"][self.path][self.method.lower()].get("requestBody", {}).get("content", {})
        name = described.get(JSON, {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        return document()["components"]["schemas"].get(name, {})


COUNTS = {"POST /api/users/{user_id}/phoneVerification/check": ["pendingVerifications"]}
"""Where a refusal is written down all the same: of wrong codes there are five."""
OPERATIONS = [Operation(method.upper(), path) for path, methods in document()["paths"].items() for method in methods]


@pytest.fixture(params=CALLERS)
def caller(request, world, sign_in):
    return request.param, {
        "HTTP_AUTHORIZATION": f"Bearer {sign_in(world['owner'])}"
    } if request.param == "owner" else {}


@pytest.fixture
def strike(attack, caller, known):
    """Sends an operation as it should be, but for what is hostile."""

    def strike(operation, case, *, method=None, path=None, query="", body=None, content_type=JSON, **extra):
        content = as_json(required_fields(operation, known)) if body is None else body
        path = re.sub(r"\{(\w+)\}", lambda match: str(known[match[1]]), path or operation.path)
        extra = {**caller[1], "QUERY_STRING": query, **extra}
        attack.send(case, method or operation.method, path, content, content_type, **extra)

    return strike


def required_fields(operation, known):
    return {name: known.get(name, "text") for name in operation.body().get("required", ())}


def as_json(fields, **raw):
    """`raw` values are JSON already."""
    texts = {name: f'"{value}"' if isinstance(value, str) else str(value) for name, value in fields.items()}
    return ("{" + ", ".join(f'"{name}": {text}' for name, text in {**texts, **raw}.items()) + "}").encode()


def as_form(fields, **raw):
    """`raw` values are form-encoded already."""
    texts = {name: quote(str(value)) for name, value in fields.items()}
    return "&".join(f"{name}={text}" for name, text in {**texts, **raw}.items()).encode()


def cases(operation, known):
    """The name of each case, and what is other than it should be."""
    fields = required_fields(operation, known)
    for field in operation.body().get("properties", {}):
        for name, value in VALUES.items():
            yield f"{field}: {name}", {"body": as_json(fields, **{field: value})}
        for name, text in FORM_TEXTS.items():
            form = as_form(fields, **{field: text.replace("{field}", field)})
            yield f"{field}: {name}", {"body": form, "content_type": FORM}
    for name, body in BODIES.items():
        yield name, {"body": body.content, "content_type": body.content_type, **body.headers}
    for parameter in re.findall(r"\{\w+\}", operation.path):
        for name, text in PATHS.items():
            yield f"{parameter}: {name}", {"path": operation.path.replace(parameter, text)}
    yield from ((name, {"query": query}) for name, query in QUERIES.items())
    yield from HEADERS.items()
    yield from ((f"method {method[:20]}", {"method": method}) for method in METHODS)


@pytest.fixture
def is_sent(request, caller):
    """Each case is one caller's. What names no field is met by what all operations have in common, and is sent to every
    third of them, to others for each `--randomly-seed`. `make fuzz` sends all as both.
    """
    seed = request.config.getoption("randomly_seed", None)

    def is_sent(operation, case):
        number = crc32(f"{operation} {case}".encode())
        mine, own = CALLERS[number % 2] == caller[0], ": " in case and not case.startswith("{")
        return EXAMPLES or (mine and (own or crc32(f"{seed} {number}".encode()) % 3 == 0))

    return is_sent


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_hostile_input_is_answered_properly_and_a_refusal_writes_nothing(operation, is_sent, strike, known, attack):
    tell_of_proxy()  # staff are, once in a process, by whichever test sends the header first
    before = all_rows()
    for case, request in cases(operation, known):
        if is_sent(operation, case):
            strike(operation, case, **request)
    assert attack.faults == []
    assert changed(before, all_rows()) in ([], COUNTS.get(str(operation)))


def test_the_corpus_has_at_least_150_cases():
    assert sum(map(len, FAMILIES.values())) >= 150
