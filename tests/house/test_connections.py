"""What is settled with PostgreSQL on each new connection, with it alone and behind a pooler (`make pgbouncer`)."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection, connections
from django.db.utils import load_backend
from django.test import Client

from tests.admin.test_access import PAGES
from tests.conftest import person
from users.models import User
from voicechat.connections import bound_statements, is_pooled

THREADS, ROUNDS = 4, 5

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("on_postgresql")]


@pytest.fixture
def another():
    """A new connection to the same database, of which nobody has said that it is a pooler's."""
    settings = {**deepcopy(connection.settings_dict), "DISABLE_SERVER_SIDE_CURSORS": False}
    made = load_backend(settings["ENGINE"]).DatabaseWrapper(settings, "another")
    made.ensure_connection()
    yield made
    made.close()


def shown(connection, name):
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return cursor.fetchone()[0]


def at_once(work):
    """The same work by several threads, each on connections of its own; what it gave."""

    def once(number):
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(once, range(THREADS)))


def test_a_pooler_that_nobody_told_of_is_noticed(another):
    assert is_pooled(another) == is_pooled(connection)


def test_a_request_waits_seven_seconds_for_a_statement_and_five_for_a_lock(another):
    before = shown(connection, "statement_timeout"), shown(connection, "lock_timeout")
    bound_statements(another)
    after = shown(another, "statement_timeout"), shown(another, "lock_timeout")
    assert after == (before if is_pooled(connection) else ("7s", "5s"))


def test_nothing_that_is_set_stays_for_the_next(another):
    before = shown(connection, "statement_timeout")
    bound_statements(another)
    assert [*at_once(lambda: shown(connection, "statement_timeout"))] == [before] * THREADS


def test_long_lists_are_read_by_several_at_once(db):
    User.objects.bulk_create(User(email=f"{n}@example.com", display_name=str(n)) for n in range(300))
    read = at_once(lambda: [len(list(User.objects.iterator(chunk_size=20))) for _ in range(ROUNDS)])
    assert read == [[300] * ROUNDS] * THREADS


def test_the_operators_pages_open_for_several_at_once(group):
    root = person("Root", is_staff=True, is_superuser=True)
    pages = [*PAGES, f"/admin/groups/group/{group.pk}/change/", f"/admin/users/user/{root.pk}/change/"]

    def work():
        browser = Client()
        browser.force_login(root)
        return {browser.get(page).status_code for page in pages}

    assert at_once(work) == [{200}] * THREADS
    assert not LogEntry.objects.exists()
