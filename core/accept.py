"""What a client would like as an answer. https://www.rfc-editor.org/rfc/rfc9110#name-accept

Django's own reader raises on some parameters that a client may write (`a*=; a*1*=b`), which would be a 500.
"""

import re

from rest_framework.request import Request

WEIGHT = re.compile(r"\bq=([01](\.[0-9]{0,3})?)")


def accepted(request: Request) -> dict[str, float]:
    """The media types of the Accept header, in small letters, with their weights: {"text/csv": 0.5, "*/*": 1.0}.

    What it says of a charset is no matter.
    """
    return dict(map(weighed, request.headers.get("Accept", "").lower().split(",")))


def weighed(part: str) -> tuple[str, float]:
    """A media type and its weight: "text/csv; q=0.5" is ("text/csv", 0.5)."""
    kind, _, parameters = part.partition(";")
    weight = WEIGHT.search(parameters)
    return kind.strip(), float(weight[1]) if weight else 1.0
