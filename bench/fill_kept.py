# ruff: noqa: E501  # SQL
"""Fills a migrated database with what is kept for a time that is over, so many rows of each kind."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from bench.fill_volume import EVENT, JSONS, SERIES

A_CONFERENCES = 10
"""So many events has each conference."""
STATEMENTS = (
    """INSERT INTO "limitCounts" ("limit", who, taken, until) SELECT 'activities', 'who' || i, {list}, '{over}' FROM {rows}""",
    """INSERT INTO "keptAnswers" (name, body, status, until) SELECT 'name' || i, 'body', 201, '{over}' FROM {rows}""",
    """INSERT INTO "cardRefusals" (who, amount_cents, why, created_at) SELECT 'who' || i, 2000, 'declined', '{old}' FROM {rows}""",
    """INSERT INTO "stripeEvents" (id, type, api_version, payload, created_at, applied_at, reason) SELECT 'evt_' || i,
    'charge.refunded', '2026-01-01', {event}, '{old}', '{old}', '' FROM {rows}""",
    """INSERT INTO conferences (sid, completed, heard_at, ended_at, announcement, created_at) SELECT 'CF' || i, false, '{old}', '{old}',
    'told', '{old}' FROM {conferences}""",
    """INSERT INTO "conferenceEvents" (conference_id, sequence_number, kind, call_sid, payload, created_at)
    SELECT 'CF' || (1 + i % {conference_count}), i, 'participant-join', 'CA' || i, {told}, '{old}' FROM {rows}""",
    """INSERT INTO django_session (session_key, session_data, expire_date) SELECT 'key' || i, 'data', '{over}' FROM {rows}""",
)


def fill(rows: int) -> None:
    now, json = timezone.now(), JSONS[connection.vendor]
    times = {"over": now - timedelta(days=1), "old": now - timedelta(days=100)}
    values = {
        "rows": SERIES[connection.vendor].format(count=rows),
        "conferences": SERIES[connection.vendor].format(count=rows // A_CONFERENCES),
        "conference_count": rows // A_CONFERENCES,
        "event": json.format(text=EVENT),
        "told": json.format(text="""'{"CallSid": "CA' || i || '", "StatusCallbackEvent": "participant-join"}'"""),
        "list": json.format(text="'[1.0]'"),
        **{name: time.strftime("%Y-%m-%d %H:%M:%S") for name, time in times.items()},
    }
    with connection.cursor() as cursor:
        for statement in STATEMENTS:
            cursor.execute(statement.format(**values))
        cursor.execute("ANALYZE")
