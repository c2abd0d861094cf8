"""A deadline bounds what is inside it, and nothing after it."""

import pytest

from core.deadline import deadline, is_over, time_left


def test_without_a_deadline_a_call_may_take_its_own_time():
    assert time_left(5.0) == 5.0
    assert not is_over()


def test_inside_a_deadline_calls_share_its_time():
    with deadline(3.0):
        assert 2.9 < time_left(5.0) <= 3.0
        assert time_left(1.0) == 1.0
        assert not is_over()


def test_afterwards_all_is_as_it_was():
    with deadline(20.0):
        with deadline(0.5):
            assert time_left(5.0) <= 0.5
        assert time_left(5.0) == 5.0
    assert time_left(30.0) == 30.0


def test_after_a_failure_too():
    with pytest.raises(ZeroDivisionError), deadline(0.5):
        _ = 1 / 0
    assert time_left(5.0) == 5.0


def test_an_inner_deadline_gives_no_more_than_the_outer_one_has_left():
    with deadline(0.5), deadline(20.0):
        assert time_left(5.0) <= 0.5


def test_past_it_nothing_may_be_asked():
    with deadline(0.0):
        assert is_over()
        with pytest.raises(TimeoutError):
            time_left(5.0)
