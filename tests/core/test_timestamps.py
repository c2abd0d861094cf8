"""A time that the database writes itself is written as Django writes times: SQLite compares them as text."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from core.timestamps import DatabaseNow
from users.models import User


@pytest.mark.django_db
@pytest.mark.parametrize("microsecond", [0, 1000, 999000, 120000])
def test_at_whichever_moment(microsecond):
    if connection.vendor != "sqlite":
        pytest.skip("elsewhere a time is no text")
    time = datetime(2026, 11, 30, 3, 3, 57, microsecond, tzinfo=UTC)
    compiler = User.objects.annotate(now=DatabaseNow()).query.get_compiler("default")
    own, _ = DatabaseNow().as_sqlite(compiler, connection)
    with connection.cursor() as cursor:
        moment = f"'{time:%Y-%m-%d %H:%M:%S}.{microsecond // 1000:03}'"
        cursor.execute(f"SELECT {own}".replace("%%", "%").replace("'NOW'", moment))  # our own words
        written = cursor.fetchone()[0]
    assert written == connection.ops.adapt_datetimefield_value(time)
