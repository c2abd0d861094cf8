"""What PostgreSQL breaks off for another transaction is tried again, and nothing else is."""

import pytest
from django.db import OperationalError, connection

from core.transactions import MOST_TRIES, atomic_and_retried


class DriversError(Exception):
    """Only its code counts."""

    def __init__(self, pgcode):
        super().__init__()
        self.pgcode = pgcode


@pytest.fixture
def tries(transactional_db):
    """Work that is broken off so many times with this code; how often it was tried."""

    def tries(times, code="40P01"):
        begun = []

        @atomic_and_retried
        def work():
            begun.append(connection.in_atomic_block)
            if len(begun) <= times:
                raise OperationalError from DriversError(code)

        try:
            work()
        finally:
            tries.begun = begun

    return tries


@pytest.mark.parametrize("code", ["40P01", "40001"])
def test_what_is_broken_off_is_tried_again(tries, code):
    tries(2, code)
    assert tries.begun == [True] * 3


def test_it_is_given_up_at_last(tries):
    with pytest.raises(OperationalError):
        tries(MOST_TRIES)
    assert len(tries.begun) == MOST_TRIES


def test_what_fails_otherwise_is_not_tried_again(tries):
    with pytest.raises(OperationalError):
        tries(1, "57014")
    assert len(tries.begun) == 1


@pytest.mark.django_db
def test_inside_another_transaction_the_outermost_tries_again():
    begun = []

    @atomic_and_retried
    def inner():
        begun.append("inner")
        if len(begun) == 2:
            raise OperationalError from DriversError("40P01")

    begun.append("outer")
    with pytest.raises(OperationalError):
        inner()
    assert begun == ["outer", "inner"]
