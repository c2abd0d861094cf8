"""People's and groups' names as they may stand in what is sent to somebody: they are anybody's words.

One that a mail program or a telephone would make a link of is left out, and a long one is cut.
"""

import re

from core.legible import NOTHING, legible

LINK = re.compile(r"://|www\.|@|[^\W\d_]\.[^\W\d_]{2,}", re.IGNORECASE)
LONGEST_NAME = 40


def safe_name(name: str, otherwise: str) -> str:
    """The name; `otherwise` where there is none."""
    seen = legible(name)
    if seen == NOTHING or LINK.search(seen):
        return otherwise
    return seen if len(seen) <= LONGEST_NAME else f"{seen[: LONGEST_NAME - 1].rstrip()}…"
