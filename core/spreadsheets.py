"""Rows as CSV, for a spreadsheet, in which no text that somebody wrote becomes a formula."""

import csv
import re
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any

BOM = "\ufeff"
"""Before a CSV, for Excel: without it Größe is GrÃ¶ÃŸe there."""
FORMULA = re.compile(r"(?:^|(?<=[;\t\r\n]))(?=\s*[=+\-@＝＋－＠])|^(?=[\t\r\n])")
"""Where a spreadsheet would begin a formula. A cell begins after a semicolon too, where that is its list separator.

https://owasp.org/www-community/attacks/CSV_Injection
"""


def as_csv(head: Iterable[str], pieces: Iterable[Iterable[Iterable[Any]]]) -> Iterator[str]:
    """The rows under their head, a text for each piece. https://www.rfc-editor.org/rfc/rfc4180"""
    text = StringIO()
    text.write(BOM)
    lines = csv.writer(text)
    lines.writerow(head)
    for rows in pieces:
        lines.writerows(rows)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()  # the head, where there was no piece


def harmless(text: str | None) -> str | None:
    """Text that no spreadsheet takes for a formula: an apostrophe stands before what would begin one."""
    return text and FORMULA.sub("'", text)
