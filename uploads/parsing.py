"""Reads an upload whatever its file is called: Django drops one whose name is `..`, ends in a slash or is no UTF-8."""

import re
from io import BytesIO
from typing import IO, Any

from rest_framework.parsers import MultiPartParser

FILE_NAME = re.compile(rb""";\s*filename\*?\s*=\s*("(?:\\.|[^"\\\r\n])*"|[^;\r\n]*)""", re.IGNORECASE)
PLAIN = re.compile(rb';\s*filename="[\w .()-]*\w"')
"""A name that Django leaves alone: nearly all are."""
NO_NAME = (b"", b'""')


class UploadParser(MultiPartParser):
    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        """As REST framework parses. The server does not use the name, so any other serves as well."""
        boundary = (parser_context or {})["request"]._request.content_params.get("boundary", "")
        body = renamed(stream.read(), boundary.encode("latin-1", "replace"))
        return super().parse(BytesIO(body), media_type, parser_context)


def renamed(body: bytes, boundary: bytes) -> bytes:
    """The body, in which each file is called `image`. A browser sends no name and no content where none was chosen."""
    line = b"--" + boundary
    head = re.compile(rb"(?:\A|\r\n)" + re.escape(line) + rb"\r\n(?:(?!--)[^\r\n]{1,1024}\r\n){1,20}\r\n")

    def named(found: re.Match[bytes]) -> bytes:
        is_empty = body.startswith((b"\r\n" + line, line), found.end())
        return FILE_NAME.sub(
            lambda name: name[0] if is_empty and name[1] in NO_NAME else b'; filename="image"', found[0]
        )

    if all(PLAIN.search(found[0]) for found in head.finditer(body)):
        return body  # and not a second one of five megabytes
    return head.sub(named, body)
