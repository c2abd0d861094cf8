"""Each row is tried by itself, and a vendor that does not answer is left alone."""

import pytest
from django.db import DatabaseError
from rest_framework.exceptions import APIException

from core.attempts import Attempts
from voice.telephony.interface import TelephonyRefused, TelephonyUnavailable


def tried(*outcomes):
    attempts = Attempts()
    for outcome in outcomes:
        with attempts.one("ask"):
            if outcome:
                raise outcome
    return attempts


@pytest.mark.parametrize("error", [TelephonyUnavailable, TelephonyRefused, DatabaseError, ZeroDivisionError, KeyError])
def test_a_failure_is_counted_and_goes_no_further(error):
    assert tried(error, None).failed == 1


def test_three_in_a_row_without_an_answer_are_enough():
    assert not tried(*[TelephonyUnavailable] * 2).is_over
    assert tried(*[TelephonyUnavailable] * 3).is_over


def test_past_the_deadline_nothing_more_is_tried(past_deadline):
    assert Attempts().is_over


def test_a_500_is_no_answer_either():
    assert tried(*[APIException] * 3).is_over


def test_an_answer_in_between_begins_anew():
    assert not tried(TelephonyUnavailable, TelephonyUnavailable, None, *[TelephonyUnavailable] * 2).is_over
    assert not tried(TelephonyUnavailable, TelephonyUnavailable, TelephonyRefused, *[TelephonyUnavailable] * 2).is_over


def test_a_fault_of_ours_is_no_reason_to_leave_the_vendor_alone():
    assert not tried(*[DatabaseError] * 9).is_over
