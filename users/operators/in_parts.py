"""Many rows that are deleted in parts, each of them whole: what is left goes along from part to part, signed."""

from itertools import pairwise
from typing import Any

from django.core.signing import BadSignature, dumps, loads

MOST_AT_ONCE = 200
PART = 100
"""So many take a few seconds, below what proxies and the house's own deadline allow."""
REST = "rest"
GOOD_FOR = 3600
SALT = "users.operators.in_parts"


def packed(pks: list[int], total: int, operator: Any) -> str:
    """Ids as ranges: people who signed up one after the other take no room."""
    ordered = sorted(pks)
    starts = [0, *(place for place, (one, other) in enumerate(pairwise(ordered), 1) if other != one + 1), len(ordered)]
    ranges = [(ordered[first], ordered[end - 1]) for first, end in pairwise(starts) if first < end]
    return dumps({"ranges": ranges, "total": total, "operator": operator}, salt=SALT, compress=True)


def unpacked(rest: str, operator: Any) -> tuple[list[int], int] | None:
    """What is left, and how many there were. None where it is not this operator's, or too old."""
    try:
        told = loads(rest, salt=SALT, max_age=GOOD_FOR)
    except BadSignature:
        return None
    if told["operator"] != operator:
        return None
    return [pk for first, last in told["ranges"] for pk in range(first, last + 1)], told["total"]
