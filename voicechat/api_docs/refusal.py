"""What one `code` is: what it says, what a client does then, and at which operations it may come."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from rest_framework.exceptions import APIException


class Where(StrEnum):
    """Operations by what the document says of them. A text such as `POST /api/billing/addMoney` names one itself, one
    that ends with `*` all that begin so, and one without a method each method of its path."""

    EVERYWHERE = "everywhere"
    TOKEN = "where a token is asked for"  # noqa: S105  # words
    TWILIO = "at what Twilio asks"
    CHANGES = "at what changes something"
    CONDITIONAL = "at PUT and DELETE"
    KEYED = "where an `Idempotency-Key` is heeded"
    LIMITED = "where it may be too often"
    AT_THE_DOOR = "before any route, so that the operations do not name it"


@dataclass(frozen=True)
class Refusal:
    status: int
    code: str
    says: str
    do: str
    at: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name among the document's examples: a code may come with two statuses."""
        return f"{self.code}_{self.status}"

    def comes_at(self, method: str, path: str, operation: Mapping[str, Any]) -> bool:
        return any(is_at(where, method.upper(), path, operation) for where in self.at)

    def as_problem(self) -> dict[str, Any]:
        """An example of its problem document."""
        errors = [{"field": "name", "message": "This field is required."}] if self.code == "invalid" else []
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.says,
            "code": self.code,
            "errors": errors,
        }


def raised(error: type[APIException], do: str, *at: str, says: str = "") -> Refusal:
    """What this exception is answered as, in its own words; `says` is an example where it has none of its own."""
    return Refusal(error.status_code, str(error.default_code), says or str(error.default_detail), do, at)


def is_at(where: str, method: str, path: str, operation: Mapping[str, Any]) -> bool:
    if isinstance(where, Where):
        return is_of_kind(where, method, operation)
    named, _, place = where.rpartition(" ")
    is_there = path.startswith(place[:-1]) if place.endswith("*") else path == place
    return is_there and named in ("", method)


def is_of_kind(where: Where, method: str, operation: Mapping[str, Any]) -> bool:
    match where:
        case Where.TOKEN:
            return any("bearer" in each for each in operation.get("security", ()))
        case Where.TWILIO:
            return names(operation, "X-Twilio-Signature")
        case Where.CHANGES:
            return method != "GET"
        case Where.CONDITIONAL:
            return method in ("PUT", "DELETE")
        case Where.KEYED:
            return names(operation, "Idempotency-Key")
        case Where.LIMITED:
            return "429" in operation["responses"]
    return where is Where.EVERYWHERE


def names(operation: Mapping[str, Any], header: str) -> bool:
    return any(each["name"] == header for each in operation.get("parameters", ()))
