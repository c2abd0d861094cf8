"""Reads JSON bodies strictly: UTF-8, no NaN, no bombs, and numbers as they were written."""

import json
from decimal import Decimal
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

DEEPEST = 32
MOST_VALUES = 20_000
"""Lists, objects and what stands in them: `[[],[],…]` of a mebibyte is 350,000, and no route reads a hundred."""


class JSONParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        """The body as Python values. Numbers with a fraction come as Decimal: money must not pass through a float."""
        try:
            body = stream.read()
            if sum(map(body.count, (b"[", b"{", b","))) > MOST_VALUES:  # in texts, too: none may be so long
                raise ParseError(f"The JSON holds more than {MOST_VALUES} values.")
            text = body.decode("utf-8-sig")  # a BOM before it, as some systems write, says nothing
            value = json.loads(text, parse_float=Decimal, parse_constant=refuse) if text.strip() else {}
            if "\\u" in text:
                json.dumps(value, ensure_ascii=False, default=str).encode()  # finds lone surrogates, in keys too
        except RecursionError:
            raise ParseError(f"The JSON is nested deeper than {DEEPEST} levels.") from None
        except ArithmeticError:  # Decimal's: 1e99999999999999999999
            raise ParseError("The body is not valid JSON: a number is beyond all bounds.") from None
        except ValueError as error:
            raise ParseError(in_words(error)) from None
        if depth(value) > DEEPEST:
            raise ParseError(f"The JSON is nested deeper than {DEEPEST} levels.")
        return value


class NoValueError(ValueError):
    """A word that Python's parser takes, and JSON does not know."""


def refuse(constant: str) -> NoReturn:
    raise NoValueError(constant)


def in_words(error: ValueError) -> str:
    """What is wrong, and where: Python's own words are for who programs in it."""
    match error:
        case UnicodeDecodeError():
            return "The body is not UTF-8 text. Is it compressed, or in another charset?"
        case UnicodeEncodeError():
            return "The body holds half a character: a \\u escape of a surrogate pair without the other one."
        case NoValueError():
            return f"The body is not valid JSON: {error} is not a JSON value."
        case json.JSONDecodeError():
            return f"The body is not valid JSON: line {error.lineno}, column {error.colno} is not what must come there."
    return "The body is not valid JSON: a number is beyond all bounds."  # Python reads 4,300 digits


def depth(value: Any) -> int:
    """How many arrays and objects enclose the innermost value; without recursion, for the value may be deep."""
    level, nodes = 0, [value]
    while nodes := [node for node in nodes if isinstance(node, dict | list)]:
        level += 1
        nodes = [inner for node in nodes for inner in (node.values() if isinstance(node, dict) else node)]
    return level
