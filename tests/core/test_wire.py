"""How values look on the wire."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from core.wire import stamp

NOON = datetime(2026, 11, 22, 12, 0, 0, 999_999)


@pytest.mark.parametrize(
    "time",
    [
        NOON,
        NOON.replace(tzinfo=UTC),
        NOON.replace(tzinfo=ZoneInfo("UTC")),
        NOON.replace(hour=7, tzinfo=timezone(timedelta(hours=-5))),
    ],
)
def test_a_time_is_utc_in_whole_milliseconds(time):
    assert stamp(time) == "2026-11-22T12:00:00.999Z"
