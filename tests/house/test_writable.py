"""A database that answers and takes no changes: its disk is full, or it is read-only."""

import sqlite3
from contextlib import closing, contextmanager

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection

from voicechat import writable
from voicechat.database_errors import NO_ROOM, READ_ONLY
from voicechat.writable import WriteCheck

pytestmark = pytest.mark.django_db(transaction=True)
FULL_ON_POSTGRESQL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER no_room BEFORE INSERT ON django_session EXECUTE FUNCTION no_room();
"""


def run(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone() if cursor.description else None


@contextmanager
def read_only():
    is_postgresql = connection.vendor == "postgresql"
    run("SET default_transaction_read_only = on" if is_postgresql else "PRAGMA query_only = ON")
    try:
        yield READ_ONLY
    finally:
        run("SET default_transaction_read_only = off" if is_postgresql else "PRAGMA query_only = OFF")


@contextmanager
def full():
    """SQLite may take no page more; PostgreSQL says what it says when its disk is full."""
    is_postgresql = connection.vendor == "postgresql"
    most = None if is_postgresql else run("PRAGMA max_page_count")[0]
    if is_postgresql:
        run(FULL_ON_POSTGRESQL)
    else:
        run("VACUUM")  # no free page is left
        run(f"PRAGMA max_page_count = {run('PRAGMA page_count')[0]}")
    try:
        yield NO_ROOM
    finally:
        run("DROP FUNCTION no_room CASCADE" if is_postgresql else f"PRAGMA max_page_count = {most}")


@pytest.fixture(autouse=True)
def _never_tried(monkeypatch):
    monkeypatch.setattr(writable.write_check, "_tried_at", float("-inf"))
    monkeypatch.setattr(writable.write_check, "_why", None)


@pytest.mark.parametrize("fault", [read_only, full])
def test_it_is_not_ready_says_why_and_so_does_the_log(client, caplog, fault):
    with fault() as why:
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, why.code)
    assert answer.json()["detail"] == why.detail
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        f"Not ready: {why.detail}"
    ]


@pytest.mark.parametrize("fault", [read_only, full])
def test_it_is_ready_again_once_it_takes_changes(client, monkeypatch, fault):
    monkeypatch.setattr(writable, "EVERY", 0)
    with fault():
        assert client.get("/readyz").status_code == 503
    assert client.get("/readyz").status_code == 200
    assert not Session.objects.exists()


def test_whoever_asks_often_writes_once(django_assert_num_queries):
    check = WriteCheck()
    assert check.why_not() is None
    with django_assert_num_queries(0):
        assert check.why_not() is None
    with read_only():
        assert check.why_not() is None


def test_what_is_not_well_is_tried_at_once_again():
    check = WriteCheck()
    with read_only() as why:
        assert [check.why_not(), check.why_not()] == [why, why]
    assert check.why_not() is None


def test_who_wants_to_change_something_is_told_and_so_are_the_operators(api, group, caplog):
    path = f"/api/groups/{group.pk}"
    with read_only() as why:
        refused = api.put(path, {"name": "Friends"})
        assert api.get(path).json()["name"] == "Family"
    assert (refused.status_code, refused.json()["code"]) == (503, why.code)
    assert refused["Retry-After"] == str(why.wait)
    assert f"The database failed: {why.code}" in [
        each.getMessage() for each in caplog.records if each.levelname == "ERROR"
    ]
    assert api.put(path, {"name": "Friends"}).status_code == 200


def test_somebody_else_who_writes_to_sqlite_for_long_makes_it_no_less_ready(client, monkeypatch, tmp_path):
    with (
        closing(sqlite3.connect(tmp_path / "a")) as writer,
        closing(sqlite3.connect(tmp_path / "a", timeout=0)) as other,
    ):
        writer.execute("BEGIN IMMEDIATE")

        def wait(**fields):
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                raise OperationalError from error

        monkeypatch.setattr(Session.objects, "create", wait)
        assert client.get("/readyz").status_code == 200
