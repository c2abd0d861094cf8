"""Times as Twilio writes them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.telephony.times import read_iso_time, read_time

SIX = datetime(2026, 11, 29, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 29 Nov 2026 06:00:00 +0000",
        "Sun, 29 Nov 2026 06:00:00 GMT",
        "Sun, 29 Nov 2026 06:00:00 -0000",
        "29 Nov 2026 06:00:00 +0000",
        "Sun, 29 Nov 2026 07:30:00 +0130",
    ],
)
def test_a_time_is_read(text):
    assert read_time(text) == SIX


@pytest.mark.parametrize(
    "text", [None, "", " ", "now", "2026-11-29T06:00:00Z", "Sun, 29 Nov 2026", "Sun, 31 Nov 2026 06:00:00 +0000", 7, []]
)
def test_what_is_no_time_is_none(text):
    assert read_time(text) is None


@pytest.mark.parametrize("text", ["2026-11-29T06:00:00Z", "2026-11-29T06:00:00", "2026-11-29T07:30:00.000+01:30"])
def test_a_time_of_transcriptions_is_read(text):
    assert read_iso_time(text) == SIX
    assert read_iso_time("Sun, 29 Nov 2026 06:00:00 +0000") == SIX


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", None, 7, "", "now"])
def test_what_is_none_or_beyond_all_years_is_none(text):
    assert read_iso_time(text) is None


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,9} (Jan|Feb) [0-9]{1,9} [0-9:]{0,12} [+-][0-9]{1,9}"))
def test_whatever_comes_is_a_time_in_utc_or_none(text):
    time = read_time(text)
    assert time is None or time.tzinfo is UTC
