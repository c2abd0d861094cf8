"""Answers that show rows of the database: one serializer describes such an answer in OpenAPI, and writes it.

Each field names its column by `source`, with a dot before a related row's. `columns` are the lookups to ask a query
set for. `shape` writes a row of `values()` that has them, whatever else it has, and `from_values` what `values_list()`
gives for them. Both are made once for the class, for REST framework goes from field to field of every row, which polled
reads and long lists cannot afford. `.data` is the same, of a row or of an instance of the model.

REST framework's plain fields are written as the database gives them, others by their `to_representation`, which must
know None unless the field allows null. Nested lists are no columns: whoever has them adds them at the end.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, ClassVar, NamedTuple

from rest_framework import serializers

Row = Mapping[str, Any]
Shape = dict[str, Any]
Convert = Callable[[Any], Any]

JSON_ALREADY = (serializers.BooleanField, serializers.CharField, serializers.ChoiceField, serializers.IntegerField)


class Part(NamedTuple):
    """A key of the answer, the column that it shows, and what the wire makes of the column's value."""

    key: str
    column: str
    convert: Convert | None


class RowSerializer(serializers.Serializer[Any]):  # a docstring here would describe every answer in OpenAPI
    parts: ClassVar[tuple[Part, ...]]
    columns: ClassVar[tuple[str, ...]]
    shape: ClassVar[Callable[[Row], Shape]]
    from_values: ClassVar[Callable[[Sequence[Any]], Shape]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.parts = tuple(
            Part(name, "__".join(field.source_attrs), to_wire(field))
            for name, field in cls().fields.items()
            if not isinstance(field, serializers.BaseSerializer)
        )
        cls.columns = columns_of(cls.parts)
        cls.shape = staticmethod(writer(cls.parts))
        cls.from_values = staticmethod(writer(placed(cls.parts)))

    def to_representation(self, instance: Any) -> Shape:
        if not isinstance(instance, Mapping):
            instance = {column: attrgetter(column.replace("__", "."))(instance) for column in self.columns}
        return type(self).shape(instance)


def to_wire(field: "serializers.Field[Any, Any, Any, Any]") -> Convert | None:
    if type(field) in JSON_ALREADY:
        return None
    convert = field.to_representation
    return (lambda value: None if value is None else convert(value)) if field.allow_null else convert


def columns_of(parts: Iterable[Part]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.column for part in parts))


def placed(parts: Sequence[Part]) -> list[tuple[str, int, Convert | None]]:
    """The parts, with each column's place among all of them instead of its name."""
    columns = columns_of(parts)
    return [(key, columns.index(column), convert) for key, column, convert in parts]


def writer(parts: Sequence[tuple[str, Any, Convert | None]]) -> Callable[[Any], Shape]:
    def shape(row: Any) -> Shape:
        return {key: row[column] if convert is None else convert(row[column]) for key, column, convert in parts}

    return shape
