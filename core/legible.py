"""Other people's text, made fit for an eye that must decide by it.

What a person calls themself may turn the line around, hide letters, or pretend to be the words around it.
https://www.unicode.org/reports/tr9/#Directional_Formatting_Codes
"""

import unicodedata

from core.wire import BLANK_LETTERS

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
NOTHING = "(nothing visible)"


def legible(text: str) -> str:
    """The text without what the eye cannot see: controls, direction marks, joiners, blanks in a row."""
    seen = "".join(" " if letter.isspace() else letter for letter in text if letter.isspace() or shows(letter))
    return " ".join(seen.split()) or NOTHING


def shows(letter: str) -> bool:
    return unicodedata.category(letter)[0] != "C" and letter not in BLANK_LETTERS


def isolated(text: str) -> str:
    """The same, in marks of our own between which it has a direction of its own: for where no `<bdi>` can stand."""
    return f"{FIRST_STRONG_ISOLATE}{legible(text)}{POP_ISOLATE}"
