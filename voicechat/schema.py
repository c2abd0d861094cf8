"""The OpenAPI document: what drf-spectacular cannot read from the code by itself."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from core.throttle import Throttle
from core.wire import LARGEST_ID
from users.api.idempotent import IDEMPOTENCY_KEY
from voicechat.pagination import KeysetPagination

TAGS = {
    "users": "Users",
    "groups": "Groups",
    "voice": "Voice",
    "billing": "Billing",
    "upload": "Upload",
    "live": "Live",
}
"""By the second part of the path, whichever app answers."""
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` of an earlier answer: an unchanged one is then an empty 304.",
}
IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` of this address's GET: the write is done only if it is still that, else 412.",
}
HEADERS = {
    "ETag": {
        "schema": {"type": "string"},
        "description": "Over the body and its Link: see `If-None-Match`, and a write's `If-Match`. HEAD has it too.",
    },
    "Link": {"schema": {"type": "string"}, "description": "The next page, where there is one (RFC 8288)."},
}
ID_IN_PATH = {"type": "integer", "format": "int64", "minimum": 0, "maximum": LARGEST_ID}
NEEDED = {"RegisterBindingRequest": "Address", "NotificationRequest": "groupId"}
"""Fields that have a second name, which the document does not tell: one of the two must be there."""
PATCHED = "Patched"
"""How drf-spectacular begins the name of a body that may leave fields out: each PUT's here, and PATCH there is none."""
INT32 = 2**31 - 1


def describe_for_generators(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """What clients are made from holds a phone number in 64 bits. tests/wire/test_document.py has the other rules."""
    for node in nodes(result):
        if node.get("type") == "integer" and node.get("maximum", LARGEST_ID) > INT32:
            node["format"] = "int64"
        if node.get("nullable") and "allOf" in node:
            node["type"] = "object"  # without a type `nullable` has no meaning, says OpenAPI 3.0.3
    return result


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(inner)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # drf-spectacular finds it by itself
    target_class = "users.sign_in.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "Not asked for in open mode."}


class TicketScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # as above
    target_class = "users.sign_in.tickets.TicketAuthentication"
    name = "ticket"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "apiKey", "in": "query", "name": "ticket", "description": "Of POST /api/live/tickets, once."}


class Operation(AutoSchema):
    def get_tags(self) -> list[str]:
        return [TAGS.get(self.path.split("/")[2], "Server")]

    def get_operation_id(self) -> str:
        """A route's second spelling has a name that differs by more than what generators drop."""
        if "-" not in self.path:
            return str(super().get_operation_id())
        words = self.path.replace("/", "_").removeprefix("_api_").split("-")
        verb = self.method_mapping[self.method.lower()]
        return f"{words[0]}{''.join(map(str.capitalize, words[1:]))}_{verb}Hyphenated"

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        throttles = [each for each in self.view.get_throttles() if isinstance(each, Throttle)]
        is_counted = getattr(self.view, "action", None) in getattr(self.view, "counted", ())  # by its service
        if operation and (is_counted or any(each.covers(self.view) for each in throttles)):
            operation["responses"]["429"] = {"description": "Too often."}  # in full by `describe_errors`
        return operation

    def get_override_parameters(self) -> list[Any]:
        """A POST that may be sent again says so."""
        action = getattr(self.view, getattr(self.view, "action", None) or "", None)
        own: list[Any] = list(super().get_override_parameters())
        return [*own, IDEMPOTENCY_KEY] if getattr(action, "is_idempotent", False) else own

    def _get_pagination_parameters(self) -> list[dict[str, Any]]:
        """Lists page where they are read, not where they are the answer to a write."""
        if self.method != "GET" or not (self._is_list_view() or getattr(self.view, "action", "") == "all"):
            return []
        parameters: list[dict[str, Any]] = KeysetPagination().get_schema_operation_parameters(self.view)
        return parameters


def describe_conditions(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """What an ETag is good for: a read that is answered again only where it has changed, and a write that depends."""
    for operations in result["paths"].values():
        for method, operation in operations.items():
            if method == "get" and "application/json" in operation["responses"].get("200", {}).get("content", {}):
                operation.setdefault("parameters", []).append(IF_NONE_MATCH)
                operation["responses"]["200"]["headers"] = HEADERS
                operation["responses"]["304"] = {"description": "Unchanged.", "headers": HEADERS}
            if method in ("put", "delete"):
                operation.setdefault("parameters", []).append(IF_MATCH)
    return result


def describe_requests(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """What is accepted, where the serializers do not say it."""
    schemas = result["components"]["schemas"]
    for name in [name for name in schemas if name.startswith(PATCHED)]:
        schemas[name.removeprefix(PATCHED)] = {**schemas.pop(name), "additionalProperties": False}
    for node in nodes(result["paths"]):
        if "$ref" in node:
            node["$ref"] = node["$ref"].replace(f"/{PATCHED}", "/")
    for name, field in NEEDED.items():
        schemas[name]["required"] = [field]  # a device's `identity` is asked for in open mode alone
    for operation in (operation for path in result["paths"].values() for operation in path.values()):
        for parameter in operation.get("parameters", ()):
            is_id = parameter["name"].endswith("_id") and parameter["schema"].get("format") != "uuid"
            if parameter["in"] == "path" and is_id:
                parameter["schema"] = ID_IN_PATH
        for media_type in operation.get("requestBody", {}).get("content", {}).values():
            if media_type["schema"].get("$ref", "").rpartition("/")[2] in NEEDED:
                operation["requestBody"]["required"] = True
    return result
