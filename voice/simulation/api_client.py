"""A running server, as an HTTP client sees it: for the commands that play clients and Twilio."""

from typing import Any

import requests
from django.conf import settings
from django.core.management.base import CommandError

from users.sign_in.local_issuer import local_token

TIMEOUT = 30.0  # seconds; the server gives itself 20 for its vendors


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
        return self.send(method, path, json=body)

    def post_form(self, path: str, fields: dict[str, str], headers: dict[str, str] | None = None) -> Any:
        """Sends a form, as Twilio does; the decoded answer."""
        return self.send("POST", path, data=fields, headers=headers or {})

    def signed_in(self) -> dict[str, str]:
        """The headers of it."""
        return {"Authorization": f"Bearer {local_token(self.email)}"} if self.email else {}

    def send(self, method: str, path: str, *, headers: dict[str, str] | None = None, **body: Any) -> Any:
        try:
            answer = requests.request(
                method, f"{self.base}{path}", headers={**(headers or {}), **self.signed_in()}, timeout=TIMEOUT, **body
            )
            if not answer.ok:
                raise CommandError(f"{method} {path}: {answer.status_code} {answer.text}")
            return answer.json() if answer.headers.get("Content-Type") == "application/json" else answer.text
        except ValueError as error:  # requests' own errors about an address are among them
            raise CommandError(f"{self.base!r} is no address: use one such as http://localhost:3300.") from error
        except requests.RequestException as error:
            raise CommandError(f"Nothing answers at {self.base}: start the server with `make run` first.") from error
