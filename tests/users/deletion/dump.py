"""The whole database as text: every column of every table, by raw SQL."""

import json
from re import escape, search
from typing import Any

from django.contrib.sessions.models import Session
from django.db import connection


def dump() -> dict[str, str]:
    """By table. What is written by escapes, or packed, is there unpacked, too."""
    with connection.cursor() as cursor:
        tables = {name: text_of(cursor, name) for name in connection.introspection.table_names(cursor)}
    tables["django_session"] += "\n".join(str(session.get_decoded()) for session in Session.objects.all())
    return tables


def text_of(cursor: Any, table: str) -> str:
    cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608  # our own tables
    return "\n".join(text for row in cursor.fetchall() for value in row for text in readings(value))


def readings(value: Any) -> list[str]:
    if isinstance(value, bytes | memoryview):
        value = bytes(value).decode(errors="replace")
    if not isinstance(value, str):
        return [str(value)]
    try:
        return [value, json.dumps(json.loads(value), ensure_ascii=False)]
    except ValueError:
        return [value]


def where(words: dict[str, str], tables: dict[str, str]) -> dict[str, list[str]]:
    """In which tables each word stands, whatever its case. Four digits must stand alone, and be no part of a UUID: some
    id has them by chance."""
    return {
        what: sorted(name for name, text in tables.items() if search(pattern(word), text))
        for what, word in words.items()
    }


def pattern(word: str) -> str:
    ends = (r"(?<![0-9a-z])(?<![0-9a-f]{4}-)", r"(?![0-9a-z])") if len(word) == 4 else ("", "")
    return f"(?i){ends[0]}{escape(word)}{ends[1]}"
