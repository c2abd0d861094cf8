"""How a request is made of what the server hands over."""

from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

UNREADABLE = "application/octet-stream; charset=unreadable"
"""A type in whose place BodyMiddleware answers 415."""


class Request(WSGIRequest):
    def __init__(self, environ: dict[str, Any]) -> None:
        """Django reads the Content-Type before any middleware runs. What it cannot decode (`application/json;
        charset*=utf-8''%00`) would leave the client with the server's own error page."""
        try:
            super().__init__(environ)
        except ValueError:
            super().__init__({**environ, "CONTENT_TYPE": UNREADABLE})


class Handler(WSGIHandler):
    request_class = Request
