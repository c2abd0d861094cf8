"""Old values as new ones, whatever was written."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from voicechat.adoption.values import digits, dollars, micros, moment, text, truth

NOON = datetime(2019, 4, 14, 12, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        NOON,
        NOON.replace(tzinfo=None),
        1555245015,
        "1555245015",
        1555245015000,
        1555245015000.0,
        "2019-04-14 12:30:15",
        "2019-04-14T12:30:15Z",
        "2019-04-14T12:30:15.000Z",
        " 2019-04-14 14:30:15+02 ",
        "Sun Apr 14 2019 05:30:15 GMT-0700 (Pacific Daylight Time)",
        "Sun, 14 Apr 2019 12:30:15 +0000",
        b"2019-04-14 12:30:15",
    ],
)
def test_a_time_is_read_in_whatever_way_it_is_written(written):
    assert moment(written) == NOON
    assert moment(written).tzinfo == UTC


@pytest.mark.parametrize("written", [None, "", "soon", "0000-00-00 00:00:00", 0, -5, "nan", "inf", 1e30, 9e12, True])
def test_what_is_no_time_is_none(written):
    assert moment(written) is None


@pytest.mark.parametrize(
    ("written", "read"),
    [(True, True), (1, True), ("t", True), ("TRUE", True), ("1", True), (0, False), ("false", False), ("", False)],
)
def test_a_flag_is_read(written, read):
    assert truth(written) is read


@pytest.mark.parametrize("written", [None, "perhaps", 2, "-1"])
def test_what_is_no_flag_is_none(written):
    assert truth(written) is None


@pytest.mark.parametrize(
    ("written", "exactly"),
    [
        (12.34, "12.34"),
        (0.1 + 0.2, "0.30000000000000004"),
        (Decimal("99.99"), "99.99"),
        (25, "25"),
        ("12.50", "12.50"),
        (" $7.5 ", "7.5"),
        (-3.25, "-3.25"),
        (b"4", "4"),
    ],
)
def test_an_amount_is_exactly_what_is_written(written, exactly):
    assert dollars(written) == Decimal(exactly)


@pytest.mark.parametrize(
    "written", [None, "", "much", True, float("nan"), float("inf"), "1e99", 10**9, -(10**9), "12,50"]
)
def test_what_is_no_amount_is_none(written):
    assert dollars(written) is None


@pytest.mark.parametrize(
    ("written", "whole"), [("0.30000000000000004", 300_000), ("0.0000005", 0), ("0.0000015", 2), ("-12.5", -12_500_000)]
)
def test_it_is_rounded_to_the_nearest_micro_dollar(written, whole):
    assert micros(Decimal(written)) == whole


@pytest.mark.parametrize(
    ("written", "number"),
    [
        (5550123, 5550123),
        ("5550123", 5550123),
        ("+12025550101", 12025550101),
        (5550123.0, 5550123),
        ("1" * 15, int("1" * 15)),
    ],
)
def test_a_phone_number_is_its_digits(written, number):
    assert digits(written) == number


@pytest.mark.parametrize("written", [None, "", 0, -5, "555-0123", "0123", "1" * 16, "٥٥٥", 5.5])
def test_what_is_no_phone_number_is_none(written):
    assert digits(written) is None


def test_text_is_what_every_database_keeps():
    assert text("a\0b") == "ab"
    assert text("half \ud83d") == "half \ufffd"
    assert text(5) == "5"
    assert text(b"caf\xc3\xa9 \xff") == "café \ufffd"
    assert text(None) is None
