"""What "about ten minutes" of a payer's money are: of as many phones as their last calls had."""

from itertools import count

import pytest

from billing.ledger import account_of
from voice.credit.call_credit import LAST_LEGS, our_rate, worth_of_ten_minutes
from voice.models import Call, Conference


@pytest.fixture
def called(alice):
    """Calls at Alice's cost, of so many phones each; of those that joined none, each by itself."""
    numbers = count()

    def called(*phones, joined=True):
        for many in phones:
            conference = Conference.objects.create(pk=f"CF{next(numbers)}") if joined else None
            for _ in range(many):
                Call.objects.create(sid=f"CA{next(numbers)}", payer=account_of(alice), conference=conference)

    return called


@pytest.fixture
def phones(alice):
    return lambda: worth_of_ten_minutes(account_of(alice)) / (10 * our_rate())


def test_who_has_called_nobody_yet_would_call_one(phones):
    assert phones() == 2


def test_who_has_talked_to_nobody_counts_as_two(called, phones):
    called(1, 1)
    assert phones() == 2


def test_of_several_calls_it_is_the_mean_rounded_up(called, phones):
    called(5, 2)
    assert phones() == 4


def test_the_last_ones_count(called, phones):
    called(9)
    called(*[2] * (LAST_LEGS // 2))
    assert phones() == 2


def test_earlier_ones_do_not(called, phones):
    called(*[2] * LAST_LEGS)
    called(LAST_LEGS)
    assert phones() == LAST_LEGS


def test_a_phone_that_joined_no_call_counts_in_none(called, phones):
    called(5)
    called(3, joined=False)
    assert phones() == 5
