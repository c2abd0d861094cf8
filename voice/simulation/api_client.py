"""A running server, as an HTTP client sees it: for the commands that play clients and Twilio."""

import json
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.management.base import CommandError

from users.sign_in.local_issuer import local_token

TIMEOUT = 30.0  # seconds; the server gives itself 20 for its vendors
FORM = "application/x-www-form-urlencoded"


class Server:
    """Raises CommandError with the server's own sentence where it refuses, and where nothing answers."""

    def __init__(self, base: str = "", *, email: str = "") -> None:
        self.base = base.rstrip("/") or f"http://localhost:{settings.PORT}"
        self.email = email

    def as_person(self, email: str) -> "Server":
        """The same server, asked by somebody who is signed in by this machine's own issuer."""
        return Server(self.base, email=email)

    def __call__(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Sends JSON; the decoded answer."""
        data = None if body is None else json.dumps(body).encode()
        return self.send(method, path, data, {"Content-Type": "application/json"})

    def post_form(self, path: str, fields: dict[str, str], headers: dict[str, str] | None = None) -> Any:
        """Sends a form, as Twilio does; the decoded answer."""
        return self.send("POST", path, urlencode(fields).encode(), {"Content-Type": FORM, **(headers or {})})

    def send(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Any:
        url = f"{self.base}{path}"  # the operator's own address
        if self.email:
            headers = {**headers, "Authorization": f"Bearer {local_token(self.email)}"}
        try:
            request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310  # as above
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310  # as above
                text = answer.read().decode()
                return json.loads(text) if answer.headers.get_content_type() == "application/json" else text
        except urllib.error.HTTPError as error:
            with error:
                raise CommandError(f"{method} {path}: {error.code} {error.read().decode()}") from error
        except ValueError as error:
            raise CommandError(f"{self.base!r} is no address: use one such as http://localhost:3300.") from error
        except (OSError, HTTPException) as error:
            raise CommandError(f"Nothing answers at {self.base}: start the server with `make run` first.") from error
