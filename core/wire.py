"""How values look on the wire, in requests and answers: ids, times, dollars, text."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.utils import html

LARGEST_ID = 2**63 - 1
MOST_LISTED = 1000
"""Entries that a list gives to who asks for no page: a longer one ends there, with a Link to the rest."""
MICROS_PER_DOLLAR = 1_000_000
MICROS_PER_CENT = 10_000
MOST_NAMED = 20
"""Of a body's unknown fields: a mebibyte of them would be answered by thirty."""
JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
MOST_DIGITS = 30
"""The digits of a larger number, written out, would fill the memory."""
GROUP_OR_PERSON = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID, "description": "Also as a string of digits."}
NO_OBJECT = "Send an object: the names of fields, each with its value."
BLANK_LETTERS = "\u115f\u1160\u3164\uffa0\u2800"  # letters and symbols by category, nothing to the eye


def stamp(time: datetime) -> str:
    """2026-11-22T15:04:05.123Z; a time without a zone is UTC's."""
    if time.tzinfo not in (None, UTC):
        time = time.astimezone(UTC)
    return time.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def dollars(micros: int | None) -> str:
    """Micro-dollars as "12.50", rounded down: nobody is shown a cent that they cannot spend."""
    cents = (micros or 0) // MICROS_PER_CENT
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


def is_visible(text: str) -> bool:
    """Whether the eye finds anything: not only spaces, controls and other invisible characters."""
    return any(unicodedata.category(letter)[0] not in "ZC" and letter not in BLANK_LETTERS for letter in text)


def number_in(text: str) -> int | None:
    """The whole number that a text is, where a column of ids can hold it; else None."""
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID)) and int(text) <= LARGEST_ID
    return int(text) if is_number else None


class IdConverter:
    """An id in a path. Anything else (`1.5`, `-1`, `٣`, 2^63) matches no route: 404."""

    regex = "0|[1-9][0-9]{0,18}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number > LARGEST_ID:
            raise ValueError
        return number

    def to_url(self, value: int) -> str:
        return str(value)


def whole_number(data: Any, *, is_form: bool = False) -> str:
    """The digits of a whole number, as text: of a JSON number (5, 5.0 and 5e0 are one), and of text, as it is.

    In a form all is text, so what a number looks like in JSON is one there too. Empty for anything else.
    """
    if isinstance(data, str) and is_form and JSON_NUMBER.fullmatch(data):
        data = Decimal(data)
    if isinstance(data, Decimal) and data.adjusted() < MOST_DIGITS and data == data.to_integral_value():
        data = int(data)
    return str(data) if isinstance(data, int | str) and not isinstance(data, bool) else ""


class WholeNumberField(serializers.Field[int, int | str, int, Any]):
    """A whole number: in JSON also with a fraction of nothing, as who keeps a map of numbers sends it."""

    def whole_number(self, data: Any) -> str:
        return whole_number(data, is_form=html.is_html_input(getattr(self.root, "initial_data", None)))

    def to_representation(self, value: int) -> int:
        return value


@extend_schema_field(GROUP_OR_PERSON)
class IdField(WholeNumberField):
    """An id in a body: a number or a string of digits."""

    default_error_messages = {"invalid": "Use an id: a whole number, or a string of digits."}

    def to_internal_value(self, data: Any) -> int:
        text = self.whole_number(data)
        if not re.fullmatch("[0-9]{1,19}", text) or int(text) > LARGEST_ID:
            self.fail("invalid")
        return int(text)


@extend_schema_field(OpenApiTypes.STR)
class TextField(serializers.CharField):
    """Text that is kept exactly as it was sent, spaces included. With `visible`, something must show."""

    default_error_messages = {"invisible": "Write at least one visible character."}

    def __init__(self, *, visible: bool = False, **kwargs: Any) -> None:
        self.visible = visible
        super().__init__(trim_whitespace=False, allow_blank=not visible, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if self.visible and not is_visible(text):
            self.fail("invisible")
        return text

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data == "" and self.visible:
            self.fail("invisible")
        return super().run_validation(data)


class FlagField(serializers.BooleanField):
    """A boolean. Left out of a form it is absent, not false, as it is in JSON."""

    default_empty_html = serializers.empty


class TimeField(serializers.DateTimeField):
    """A time in an answer."""

    to_representation = staticmethod(stamp)  # type: ignore[assignment]  # called for every row: no `self` between


class BalanceField(serializers.CharField):
    """Micro-dollars in an answer, to the cent."""

    to_representation = staticmethod(dollars)  # type: ignore[assignment]  # as above

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(help_text="Dollars with two decimals, rounded down.", **kwargs)


class ConstantField(serializers.CharField):
    """The same words in every answer."""

    def __init__(self, words: str, **kwargs: Any) -> None:
        self.words = words
        super().__init__(**kwargs)

    def get_attribute(self, instance: Any) -> str:
        return self.words


AMOUNT = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,2})?")


@extend_schema_field({"type": "number", "format": "double", "example": 20})
class DollarsField(serializers.Field[int, Decimal | int | str, str, Any]):
    """Dollars, as a number or a string with at most two decimals; gives whole micro-dollars."""

    default_error_messages = {"invalid": "Use an amount in dollars with at most two decimals, such as 20 or 20.50."}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, Decimal) and abs(data.adjusted()) < MOST_DIGITS:
            data = f"{data:f}"
        elif isinstance(data, int):
            data = str(data)
        if not isinstance(data, str) or not AMOUNT.fullmatch(data):
            self.fail("invalid")
        return int(Decimal(data) * MICROS_PER_DOLLAR)

    def to_representation(self, value: int) -> str:
        return dollars(value)


class ChangesSerializer(serializers.Serializer[Any]):
    """The body of a PUT: any of its fields; a field that it does not have is refused by name."""

    default_error_messages = {"invalid": NO_OBJECT}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"partial": True, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        unknown = [name for name in data if name not in self.fields] if hasattr(data, "keys") else []
        if unknown:
            allowed = ", ".join(self.fields)
            raise serializers.ValidationError(
                {name: [f"This cannot be changed here. What can: {allowed}."] for name in unknown[:MOST_NAMED]}
            )
        return super().to_internal_value(data)


def read(serializer: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """What a body or a query says. Raises ValidationError, naming every field that is wrong."""
    if not isinstance(data, Mapping):
        raise serializers.ValidationError(NO_OBJECT)
    filled = serializer(data=data)
    filled.is_valid(raise_exception=True)
    fields: dict[str, Any] = filled.validated_data
    return fields
