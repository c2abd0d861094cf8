"""Holds answers to the project's own OpenAPI document: status, content type and shape must be written there."""

import json
import re
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator


@cache
def document() -> dict[str, Any]:
    generated: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return json.loads(json.dumps(nullable_types(generated), default=str))  # type: ignore[no-any-return]


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
    return [
        (re.compile(re.sub(r"\\\{\w+\\\}", "[0-9]+", re.escape(path)) + "/?"), operations)
        for path, operations in document()["paths"].items()
    ]


def check_answer(method: str, path: str, response: Any) -> None:
    """Fails where an answer of the API is not what its operation describes."""
    bare = path.partition("?")[0]
    operations = next((operations for route, operations in routes() if route.fullmatch(bare)), None)
    operation = (operations or {}).get(method.lower())
    if operation is None or response.status_code == 304:
        return
    described = operation["responses"].get(str(response.status_code))
    assert described is not None, f"{method} {path} answers {response.status_code}, which is not described"
    content = described.get("content", {})
    if not content:
        assert response.content == b""
        return
    media_type = response["Content-Type"].partition(";")[0]
    assert media_type in content, f"{method} {path} answers {media_type}, which is not described"
    if media_type.endswith("json"):
        schema = {**content[media_type]["schema"], "components": document()["components"]}
        Draft202012Validator(schema).validate(json.loads(response.content))
