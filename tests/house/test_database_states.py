"""A database that is there and cannot do all: it only reads, is not migrated, or has no connection left."""

import time
from contextlib import closing

import psycopg2
import pytest
from django.db import connection

from tests.house.test_migrate import another_database, as_owner
from tests.served import Door, address, served

JSON = {"Content-Type": "application/json"}
PERSON = b'{"email": "e@example.com"}'
MOST_SECONDS = 10


@pytest.fixture
def guest(transactional_db, on_postgresql):
    """A role that a test may change: its name; its connections can be ended, and it may read and write."""
    name = f"{connection.settings_dict['NAME']}_guest"
    with as_owner() as owner, connection.cursor() as here:
        owner.execute(f"DROP ROLE IF EXISTS {name}")
        owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'guest'")
        here.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}")
        here.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {name}")
        yield name
        here.execute(f"DROP OWNED BY {name}")
        owner.execute(f"DROP ROLE {name}")


def test_a_database_that_only_reads_is_503_for_writes_alone_and_heals(guest):
    with as_owner() as owner:
        owner.execute(f"ALTER ROLE {guest} SET default_transaction_read_only = on")
        with served(address(user=f"{guest}:guest")) as server:
            door = Door(server.port)
            reads, writes, ready = (
                door.ask("GET", "/api/users"),
                door.ask("POST", "/api/users", PERSON, **JSON),
                door.ask("GET", "/readyz"),
            )
            login = door.ask("GET", "/admin/", Cookie="sessionid=abcdefghijklmnopqrstuvwxyz012345")
            owner.execute(f"ALTER ROLE {guest} RESET default_transaction_read_only")
            owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [guest])
            healed = door.ask("GET", "/readyz"), door.ask("POST", "/api/users", PERSON, **JSON)
    assert (reads.status, login.status) == (200, 302)
    for answer in (writes, ready):
        assert (answer.status, answer.wait) == (503, "10")
        assert "database_read_only" in answer.text
    assert [each.status for each in healed] == [200, 201]


def test_a_database_that_is_not_migrated_is_503_in_the_words_of_readyz(db, on_postgresql):
    with another_database() as url, served(url) as server:
        door = Door(server.port)
        answers = door.ask_all([("GET", "/api/users"), ("GET", "/readyz")])
        page = door.ask("GET", "/admin/", Cookie="sessionid=abcdefghijklmnopqrstuvwxyz012345")
    assert [(each.status, each.wait) for each in [*answers, page]] == [(503, "10")] * 3
    assert all("is not migrated: run `manage.py migrate`" in each.text for each in answers)
    assert "is not migrated" in page.text


def test_so_is_a_file_that_is_not_migrated(tmp_path):
    with served(f"sqlite:///{tmp_path}/db.sqlite3") as server:
        answers = Door(server.port).ask_all([("GET", "/api/users"), ("GET", "/readyz")])
    assert [each.status for each in answers] == [503, 503]
    assert all("is not migrated: run `manage.py migrate`" in each.text for each in answers)


def test_without_a_connection_left_it_is_503_at_once(guest):
    with as_owner() as owner:
        owner.execute(f"ALTER ROLE {guest} CONNECTION LIMIT 1")
        url = address(user=f"{guest}:guest")
        with closing(psycopg2.connect(url)), served(url) as server:
            answers = Door(server.port).ask_all([("GET", "/api/users"), ("GET", "/readyz")])
    assert [(each.status, each.wait) for each in answers] == [(503, "2")] * 2
    assert all("no connection left" in each.text for each in answers)
    assert max(each.seconds for each in answers) < MOST_SECONDS


def test_a_process_holds_one_connection_for_each_of_its_threads_at_most(guest):
    with as_owner() as owner, served(address(user=f"{guest}:guest"), ["--workers", "1"], THREADS="3") as server:
        door, most, end = Door(server.port), 0, time.monotonic() + 2
        while time.monotonic() < end:
            assert {each.status for each in door.ask_all([("GET", "/api/users")] * 12)} == {200}
            owner.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", [guest])
            most = max(most, owner.fetchone()[0])
    assert 1 < most <= 3
