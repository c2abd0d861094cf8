"""Queries whose text is made once, whatever they are asked for."""

import pytest

from core.prepared import prepared, prepared_values
from core.wire import LARGEST_ID
from groups.models import Membership
from tests.conftest import person
from users.models import User


@pytest.fixture
def built():
    """Whatever was built so far."""
    return []


@pytest.fixture
def names(built, alice, bob):
    """The display names of the people with these ids."""

    def build(ids):
        built.append(ids)
        return User.objects.filter(pk__any=ids).order_by("id")

    return prepared_values(build, ["display_name"], lambda values: values[0])


def test_one_text_serves_any_count_of_ids(names, built, alice):
    for count in range(1, 41):
        assert names(range(alice.pk, alice.pk + count))[0] == "Alice"
    assert len(built) == 1


@pytest.mark.parametrize("many", [1, 2, 5000])
def test_everybody_who_is_asked_for_is_found_once(names, alice, bob, many):
    unknown = [LARGEST_ID - number for number in range(many)]
    assert names([bob.pk, *unknown, alice.pk, bob.pk]) == ["Alice", "Bob"]
    assert names({bob.pk, *unknown}) == ["Bob"]
    assert names(unknown) == []


def test_nobody_is_asked_for_without_a_query(names, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert names([]) == []


def test_ids_may_be_those_of_a_related_row(group, alice, bob):
    members = prepared_values(lambda ids: Membership.objects.filter(group__any=ids).order_by("id"), ["user_id"], tuple)
    assert members([group.pk, group.pk + 1]) == [(alice.pk,), (bob.pk,)]


def test_ids_may_stand_twice_in_a_query(alice, bob):
    both = lambda ids: User.objects.filter(pk__any=ids) | User.objects.filter(account__user_id__any=ids)  # noqa: E731
    assert prepared_values(both, ["pk"], tuple)([bob.pk]) == [(bob.pk,)]


def test_keys_of_other_kinds_go_on_being_told_apart(db):
    named = prepared(lambda keys: User.objects.filter(pk=keys[0], email=keys[1]), ["display_name"])
    ida = person("Ida")
    assert named((ida.pk, "ida@example.com")) == [{"display_name": "Ida"}]
    assert named((ida.pk, "ida")) == named((ida.pk + 1, "ida@example.com")) == []
