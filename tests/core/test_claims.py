"""Of two runs that have read the same row one has it, until it must be over."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.claims import CLAIM, claim, give_back
from users.models import VendorDeletion

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def row():
    return VendorDeletion.objects.create(kind=VendorDeletion.Kind.PICTURE, name="one")


def again(row):
    return VendorDeletion.objects.get(pk=row.pk)


def test_one_of_two_runs_has_it(row):
    other = again(row)
    assert (claim(row), claim(other)) == (True, False)


def test_it_is_due_again_when_a_run_that_was_killed_must_be_over(row):
    claim(row)
    assert CLAIM - MINUTE < again(row).try_at - timezone.now() <= CLAIM


def test_what_is_given_back_is_due_at_once_and_may_be_claimed(row):
    claim(row)
    give_back(row)
    assert again(row).try_at <= timezone.now()
    assert claim(again(row))


def test_what_another_run_has_by_now_is_not_given_back(row):
    claim(row)
    other = again(row)
    assert claim(other)
    give_back(row)
    assert again(row).try_at == other.try_at
