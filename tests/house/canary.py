"""Secrets that carry a mark, and requests that hold them wherever something can be written."""

import json
import random
import string
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from tests.openapi import document

TWILIOS = (
    "CallSid",
    "ConferenceSid",
    "CallStatus",
    "SequenceNumber",
    "StatusCallbackEvent",
    "FriendlyName",
    "From",
    "To",
    "Digits",
    "StirVerstat",
    "TranscriptionEvent",
    "TranscriptionSid",
    "TranscriptionData",
    "SequenceId",
)
HEADERS = (
    "Authorization",
    "Cookie",
    "Idempotency-Key",
    "If-None-Match",
    "Referer",
    "Stripe-Signature",
    "User-Agent",
    "X-Forwarded-For",
    "X-Request-Id",
    "X-Twilio-Signature",
)


class Canary:
    """`word("email")` is a secret that names its kind; `phone` is a number of 15 digits."""

    def __init__(self) -> None:
        self.mark = "".join(random.choices(string.ascii_lowercase, k=20))
        self.phone = f"4930{random.randrange(10**11):011}"

    def word(self, kind: str) -> str:
        return f"{kind}{self.mark}"

    def found_in(self, text: str) -> bool:
        lowered = text.lower()
        return self.mark in lowered or self.phone[1:] in lowered

    def value(self, field: str) -> Any:
        """Of the kind that this field takes."""
        special = {
            "email": f"{self.word('email')}@example.com",
            "phoneNumber": int(self.phone),
            "channel": "sms",
            "country": "DE",
            "code": self.phone[:10],
            "sourceId": f"tok_{self.mark}",
            "From": f"+{self.phone}",
            "To": f"+{self.phone}",
            "tags": [self.word("tag")],
            "CallSid": "CA1",  # Twilio's ids are no secrets, and are logged
            "ConferenceSid": "CF1",
        }
        return special.get(field, self.word(field))

    def headers(self) -> dict[str, str]:
        """X-Request-Id, which is logged by design, in a form that no proxy gives."""
        values = {name: self.word(name.lower()) for name in HEADERS}
        values["Authorization"] = f"Bearer {values['Authorization']}"
        values["Cookie"] = f"sessionid={values['Cookie']}"
        values["X-Request-Id"] = f"{values['X-Request-Id']}@example.com"
        return values

    def query(self) -> str:
        return urlencode(
            {name: self.value(name) for name in ("search", "identity", "to", "email", "From", "limit", "x")}
        )


def operations() -> list[tuple[str, str]]:
    return [(method.upper(), path) for path, methods in document()["paths"].items() for method in methods]


def fields_of(method: str, path: str) -> list[str]:
    """The names in an operation's body, by the OpenAPI document; for Twilio's webhooks, what Twilio posts."""
    body = document()["paths"][path][method.lower()].get("requestBody", {})
    schema = next(iter(body.get("content", {}).values()), {}).get("schema", {})
    if "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return [*schema.get("properties", ())] or [*TWILIOS]


def bodies(canary: Canary, names: list[str], true: dict[str, Any]) -> Iterator[tuple[bytes, str]]:
    """One that means well, with `true` where it must be so; and others that are wrong in many ways."""
    marked = {name: canary.value(name) for name in names}
    well = {**marked, **{name: value for name, value in true.items() if name in names}}
    known = {name: value for name, value in well.items() if not isinstance(value, list)}
    yield json.dumps(well).encode(), "application/json"
    yield json.dumps(well).encode(), "application/json"
    yield urlencode(known).encode(), "application/x-www-form-urlencoded"
    yield json.dumps({**marked, canary.word("key"): 1}).encode(), "application/json"
    yield urlencode(marked).encode(), "application/x-www-form-urlencoded"
    yield json.dumps([canary.word("item")]).encode(), "application/json"
    yield json.dumps(well).encode()[:-1], "application/json"
    yield canary.word("text").encode(), f"text/{canary.mark}"
    yield json.dumps(well).encode(), f"application/json; charset={canary.mark}"
    yield multipart(canary)


def multipart(canary: Canary, content: bytes = b"") -> tuple[bytes, str]:
    head = f'Content-Disposition: form-data; name="image"; filename="{canary.word("file")}.png"'.encode()
    body = b"--frontier\r\n" + head + b"\r\n\r\n" + (content or canary.word("content").encode())
    return body + b"\r\n--frontier--\r\n", "multipart/form-data; boundary=frontier"
