"""Holds answers to the project's own OpenAPI document: status, content type and shape must be written there, and the
keys be those and no others, in that order."""

import json
import re
from collections.abc import Iterable
from functools import cache
from threading import Lock
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema_rs import Draft202012Validator

GENERATING = Lock()


@cache
def generated() -> dict[str, Any]:
    """As it is served. By one at a time: drf-spectacular bears no two, and the first answers may be of two threads."""
    with GENERATING:
        made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
        return made


@cache
def document() -> dict[str, Any]:
    """In JSON Schema's words, each operation's answers written out."""
    plain: dict[str, Any] = json.loads(json.dumps(nullable_types(generated()), default=str))
    for operation in (each for operations in plain["paths"].values() for each in operations.values()):
        operation["responses"] = {status: shared(plain, each) for status, each in operation["responses"].items()}
    return plain


def shared(document: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """What an operation's answer refers to."""
    name = answer.get("$ref", "").rpartition("/")[2]
    return document["components"]["responses"][name] if name else answer  # type: ignore[no-any-return]


def nullable_types(node: Any) -> Any:
    """OpenAPI 3.0's `nullable` in JSON Schema's words."""
    if isinstance(node, list):
        return [nullable_types(each) for each in node]
    if not isinstance(node, dict):
        return node
    plain = {key: nullable_types(value) for key, value in node.items()}
    if plain.pop("nullable", False):
        return {"anyOf": [plain, {"type": "null"}]}
    return plain


@cache
def routes() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    return [(re.compile(pattern(path)), operations) for path, operations in document()["paths"].items()]


def pattern(path: str) -> str:
    """Of what a path stands for: all its parameters are numbers, but for tokens and exports."""
    with_tokens = re.sub(r"\\\{(token|export_id)\\\}", "[^/]+", re.escape(path))
    return re.sub(r"\\\{\w+\\\}", "[0-9]+", with_tokens) + "/?"


def operation_at(path: str) -> tuple[str, dict[str, Any]]:
    """The route of an address, as the document writes it, and its operations by their methods."""
    for (route, operations), (name, _) in zip(routes(), document()["paths"].items(), strict=True):
        if route.fullmatch(path):
            return name, operations
    return "", {}


TWO_SHAPES = {"/api/voice/accessToken": "application/json"}
"""What only who asks for it gets, which the document leaves out: generators know one shape of a success."""


def check_answer(method: str, path: str, response: Any) -> None:
    """Fails where an answer of the API is not what its operation describes."""
    bare = path.partition("?")[0]
    operation = operation_at(bare)[1].get(method.lower())
    if operation is None or response.status_code == 304:
        return
    check_code(f"{method} {path}", operation, response)
    described = operation["responses"].get(str(response.status_code))
    assert described is not None, f"{method} {path} answers {response.status_code}, which is not described"
    content = described.get("content", {})
    if not content:
        assert response.content == b""
        return
    media_type = response["Content-Type"].partition(";")[0]
    if response.status_code == 200 and TWO_SHAPES.get(bare) == media_type:
        return
    assert media_type in content, f"{method} {path} answers {media_type}, which is not described"
    if media_type.endswith("json"):
        answer, schema = json.loads(response.content), content[media_type]["schema"]
        validator(schema).validate(answer)
        check_keys(schema, answer)


def check_code(name: str, operation: dict[str, Any], response: Any) -> None:
    if response.get("Content-Type", "") != "application/problem+json":
        return
    status, code = str(response.status_code), json.loads(response.content)["code"]
    named = operation["responses"].get(status, {}).get("content", {}).get("application/problem+json", {})
    assert code in named.get("examples", ()), (
        f"{name} answers {status} {code}, of which its clients are not told: say in REFUSALS of "
        "voicechat/api_docs/refusals.py what they do then, and `at` which operations it may come."
    )


def check_form(path: str, fields: Iterable[str]) -> None:
    """Fails where a status callback of Twilio's has a field that its operation does not name. It is answered 204."""
    operation = operation_at(path.partition("?")[0])[1].get("post", {})
    if "204" not in operation.get("responses", {}):
        return
    schema = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    named = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"]
    assert set(fields) <= {*named}, f"POST {path}: {sorted({*fields} - {*named})} is not in the OpenAPI document"


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return compiled(json.dumps(schema))


@cache
def compiled(schema: str) -> Draft202012Validator:
    """Once for all operations that answer so."""
    return Draft202012Validator({**json.loads(schema), "components": document()["components"]})


def check_keys(schema: dict[str, Any], value: Any) -> None:
    if not isinstance(value, dict | list):
        return
    for name in ("allOf", "anyOf", "oneOf"):
        for either in schema.get(name, ()):
            if validator(either).is_valid(value):
                check_keys(either, value)
    if "$ref" in schema:
        check_keys(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]], value)
    if isinstance(value, list):
        for each in value:
            check_keys(schema.get("items", {}), each)
    elif "properties" in schema:
        assert list(value) == [name for name in schema["properties"] if name in value]
        for name, inner in value.items():
            check_keys(schema["properties"][name], inner)
