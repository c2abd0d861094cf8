"""The ZIP: a file of JSON for each table, and one in plain words that says what they are."""

from collections.abc import Iterable
from datetime import datetime
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import orjson

from core.transactions import reading_one_state
from users.models import User
from voicechat.export.contents import exported, written_rows
from voicechat.personal_data import KEPT

READ_ME = """All that Voice Chatroom keeps about {name}
as it was on {day:%d.%m.%Y} (UTC)

Each file holds the rows of one table, as JSON (https://www.json.org). Times are in UTC. Amounts that are called
"micros" are millionths of a dollar, "cents" hundredths. Of other people there is the name that they show in your
groups, and no more. What is written about you in other people's activities stays where it is: it is theirs, too.

{files}

Pictures are kept at the addresses in pictures.json. Cards are kept at Stripe (https://stripe.com/privacy), which knows
you by the "stripeId" in users.json; calls are carried by Twilio (https://www.twilio.com/legal/privacy).
"""
EMPTY = "There is none of this."


def write_export(user: User, file: IO[bytes], *, now: datetime) -> None:
    """All of it as it is at one moment."""
    with reading_one_state(), ZipFile(file, "w", ZIP_DEFLATED) as archive:
        counted = {table: write_table(archive, table, user, now=now) for table in exported()}
        files = "\n\n".join(words_about(table, counted[table]) for table in exported())
        archive.writestr(entry("README.txt", now), READ_ME.format(name=user.display_name, day=now, files=files))


def write_table(archive: ZipFile, table: str, user: User, *, now: datetime) -> int:
    """How many rows there were. None, no file."""
    rows = written_rows(table, user.pk)
    first = next(rows, None)
    if first is None:
        return 0
    with archive.open(entry(f"{table}.json", now), "w", force_zip64=True) as file:
        return write_rows(file, first, rows)


def write_rows(file: IO[bytes], first: dict[str, Any], rest: Iterable[dict[str, Any]]) -> int:
    file.write(b"[\n" + as_json(first))
    count = 1
    for row in rest:
        file.write(b",\n" + as_json(row))
        count += 1
    file.write(b"\n]\n")
    return count


def as_json(row: dict[str, Any]) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_UTC_Z)


def entry(name: str, now: datetime) -> ZipInfo:
    """Dated by the day, so that what has not changed is the same, byte for byte."""
    info = ZipInfo(name, (now.year, now.month, now.day, 0, 0, 0))
    info.compress_type, info.external_attr = ZIP_DEFLATED, 0o600 << 16
    return info


def words_about(table: str, count: int) -> str:
    """Why it is kept, for how long, and what becomes of it."""
    kinds = [each for each in KEPT if each.table == table and each.exported]
    lines = [f"- {each.what} ({why(each.table, each.columns)}).{kept_for(each.keep_for)}" for each in kinds]
    return "\n".join((f"{table}.json: {count}" if count else f"{table}: {EMPTY}", *lines))


def why(table: str, columns: str) -> str:
    """In the list "as above" stands for what the line before says."""
    reason = ""
    for each in KEPT:
        reason = reason if each.why == "as above" else each.why
        if (each.table, each.columns) == (table, columns):
            break
    return reason


def kept_for(words: str) -> str:
    return f" Kept for {words}." if words[:1].isdigit() or words.startswith("a ") else ""
