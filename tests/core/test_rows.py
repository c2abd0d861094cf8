"""One serializer writes rows, values and instances, and describes them."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from rest_framework import serializers

from core.rows import RowSerializer
from core.wire import BalanceField, TimeField

NOON = datetime(2026, 11, 22, 12, 0, 0, 1999, tzinfo=UTC)


class PersonSerializer(RowSerializer):
    displayName = serializers.CharField(source="user.display_name", allow_null=True)
    createdAt = TimeField(source="created_at", allow_null=True)
    sinceAt = TimeField(source="created_at", allow_null=True)
    balance = BalanceField(source="balance_micros")


class PeopleSerializer(PersonSerializer):
    friends = PersonSerializer(many=True)


ROW = {"balance_micros": 12_500_000, "id": 1, "created_at": NOON, "user__display_name": "Alice"}
SHAPE = [
    ("displayName", "Alice"),
    ("createdAt", "2026-11-22T12:00:00.001Z"),
    ("sinceAt", "2026-11-22T12:00:00.001Z"),
    ("balance", "12.50"),
]


def test_a_row_is_written_in_the_order_of_the_fields_whatever_else_it_has():
    assert list(PersonSerializer.shape(ROW).items()) == SHAPE


def test_each_column_is_asked_for_once_and_its_values_are_written_alike():
    assert PersonSerializer.columns == ("user__display_name", "created_at", "balance_micros")
    assert list(PersonSerializer.from_values(["Alice", NOON, 12_500_000]).items()) == SHAPE


def test_an_instance_and_a_row_are_written_alike_by_data():
    person = SimpleNamespace(user=SimpleNamespace(display_name="Alice"), created_at=NOON, balance_micros=12_500_000)
    assert list(PersonSerializer(person).data.items()) == list(PersonSerializer(ROW).data.items()) == SHAPE


@pytest.mark.parametrize(("key", "written"), [("displayName", None), ("createdAt", None), ("balance", "0.00")])
def test_null_is_null_where_the_field_allows_it(key, written):
    assert PersonSerializer.from_values([None, None, None])[key] == written


def test_nested_lists_are_no_columns():
    assert PeopleSerializer.columns == PersonSerializer.columns
    assert list(PeopleSerializer().fields) == [*(key for key, _ in SHAPE), "friends"]
