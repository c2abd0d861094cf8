"""Whose number was dialled is found by an index, however it is written: no group is read for nothing."""

import pytest
from django.db import connection

from groups.models import Group

MANY = 3000


@pytest.fixture
def many(db):
    Group.objects.bulk_create(Group(name="Choir", phone_number=f"555-{number:07}") for number in range(MANY))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE groups")


def test_the_index_is_what_is_asked(many):
    plan = Group.objects.with_number("+495550001234").explain()
    assert "groups_by_number" in plan
    assert "Seq Scan" not in plan
    assert "SCAN groups" not in plan


@pytest.mark.parametrize("written", ["555-0001234", "(555)0001234", "5550001234", "+5550001234", "0555.0001234"])
def test_however_it_is_written(db, written):
    group = Group.objects.create(name="Family", phone_number=written)
    assert Group.objects.with_number("+495550001234").get() == group


@pytest.mark.parametrize("dialled", ["", "+", " "])
def test_no_number_is_nobodys(db, dialled):
    for written in ("", "-", None):
        Group.objects.create(name="Family", phone_number=written)
    assert not Group.objects.with_number(dialled).exists()
