"""The door's connection: what breaks it sends polls to Django, soon, and it heals by itself."""

import asyncio
import sqlite3
from threading import Event, Thread
from urllib.parse import quote

import psycopg2
import pytest
from django.db import connection

from groups.versions import Poll
from tests.served import address
from users.callers import Everybody
from voicechat.front import lines
from voicechat.front.lines import PostgreSQLLine, SQLiteLine

POLL = Poll(Everybody())
LOCK = "LOCK TABLE users IN ACCESS EXCLUSIVE MODE"


class Caller:
    """Asks from outside of the line's loop."""

    def __init__(self, line):
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.line, self.forgotten = line, 0
        line.forget = self.forget

    def forget(self):
        self.forgotten += 1

    def ask(self, many=1):
        """What it said to each of so many that ask at once."""
        said, all_told = [], Event()

        def then(answer):
            said.append(answer)
            if len(said) == many:
                all_told.set()

        def ask():
            for _ in range(many):
                self.line.ask(POLL, then)

        self.loop.call_soon_threadsafe(ask)
        assert all_told.wait(30)
        return said

    def is_answered(self, tries=300):
        """Once more and more, as a page polls."""
        for _ in range(tries):
            if self.ask() != [None]:
                return True
            Event().wait(0.02)
        return False

    def end(self):
        def stop():
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.call_soon(self.loop.stop)

        self.loop.call_soon_threadsafe(stop)
        self.thread.join()
        self.loop.close()
        if connection.vendor == "postgresql":
            self.line.connection.close()


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(lines, "PAUSE_SECONDS", 0.05)


@pytest.fixture
def caller(db):
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("the database is in this process's memory")
    caller = Caller(PostgreSQLLine() if connection.vendor == "postgresql" else SQLiteLine())
    yield caller
    caller.end()


@pytest.fixture
def other(on_postgresql):
    """Another connection to the database."""
    other = psycopg2.connect(address())
    yield other
    other.close()


def test_a_connection_that_is_cut_is_made_again_and_all_is_forgotten(caller, other):
    assert caller.is_answered()
    other.cursor().execute("SELECT pg_terminate_backend(%s)", [caller.line.connection.info.backend_pid])
    assert caller.ask() == [None]
    assert caller.is_answered()
    assert caller.forgotten == 2


def test_a_question_that_hangs_is_given_up(caller, other, monkeypatch):
    assert caller.is_answered()
    monkeypatch.setattr(lines, "MOST_SECONDS", 0.2)
    other.cursor().execute(LOCK)
    assert caller.ask(many=3) == [None] * 3
    other.rollback()
    monkeypatch.undo()
    assert caller.is_answered()


def test_without_a_trigger_nothing_is_said(caller, other):
    cursor = other.cursor()
    cursor.execute("ALTER TABLE users DISABLE TRIGGER users_version")
    other.commit()
    try:
        assert caller.ask() == [None]
        cursor.execute("ALTER TABLE users ENABLE TRIGGER users_version")
        other.commit()
        assert caller.is_answered()
    finally:
        cursor.execute("ALTER TABLE users ENABLE TRIGGER users_version")
        other.commit()


@pytest.fixture
def file(db, tmp_path, monkeypatch):
    """A SQLite file with the tables and triggers of the tests' database."""
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's")
    path = tmp_path / "copy.sqlite3"
    made = sqlite3.connect(path, isolation_level=None)
    made.execute("PRAGMA journal_mode=WAL")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%%' ORDER BY type = 'trigger'"
        )
        for (sql,) in cursor.fetchall():
            made.execute(sql)
    monkeypatch.setitem(connection.settings_dict, "NAME", quote(str(path)))
    yield made
    made.close()


def test_what_stands_in_a_file_is_read_there_and_asked_anew_when_its_triggers_have_been_away(file):
    caller = Caller(SQLiteLine())
    assert caller.ask() != [None]
    assert caller.ask() != [None]
    assert caller.forgotten == 1
    (sql,) = file.execute("SELECT sql FROM sqlite_master WHERE name = 'users_version'").fetchone()
    file.execute("DROP TRIGGER users_version")
    for _ in range(2):
        assert caller.ask() == [None]
        Event().wait(2 * lines.PAUSE_SECONDS)
    file.execute(sql)
    assert caller.is_answered()
    assert caller.forgotten == 2
    caller.end()


@pytest.fixture
def any_caller(request):
    """On whichever database the tests run."""
    if connection.vendor == "postgresql":
        yield request.getfixturevalue("caller")
        return
    request.getfixturevalue("file")
    caller = Caller(SQLiteLine())
    yield caller
    caller.end()


def test_many_polls_are_few_questions(any_caller):
    assert any_caller.is_answered()
    said = any_caller.ask(many=500)
    assert len(said) == 500
    assert None not in said


def test_beyond_so_many_that_wait_nobody_waits(any_caller, monkeypatch):
    """Who finds so many before them is told at once that nobody can tell; those are answered."""
    assert any_caller.is_answered()
    monkeypatch.setattr(lines, "MOST_WAITING", 5)
    said = any_caller.ask(many=20)
    assert said[:15] == [None] * 15
    assert None not in said[15:]


@pytest.mark.parametrize("at_once", [64, 1])
def test_a_file_that_is_gone_says_nothing(file, monkeypatch, at_once):
    """Neither to who is asked about, nor to who waits for the next question."""
    monkeypatch.setattr(lines, "MOST_AT_ONCE", at_once)
    monkeypatch.setitem(connection.settings_dict, "NAME", "/nowhere/at.sqlite3")
    caller = Caller(SQLiteLine())
    assert caller.ask(many=3) == [None] * 3
    caller.end()


def test_after_a_fault_nobody_asks_for_a_while(file, monkeypatch):
    monkeypatch.setattr(lines, "PAUSE_SECONDS", 3600)
    caller, there = Caller(SQLiteLine()), connection.settings_dict["NAME"]
    for name in ("/nowhere/at.sqlite3", there):
        monkeypatch.setitem(connection.settings_dict, "NAME", name)
        assert caller.ask() == [None]
    caller.end()
    other = Caller(SQLiteLine())
    assert other.ask() != [None]
    other.end()
