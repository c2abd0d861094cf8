"""One served process, on a database of its own, for all who are told something by it."""

from itertools import count
from types import SimpleNamespace

import pytest
from django.db import connection

from tests.house.test_migrate import another_database, as_owner
from tests.live.served import Person
from tests.served import served

numbers = count(1)


@pytest.fixture(scope="package")
def url(django_db_setup, django_db_blocker, tmp_path_factory):
    """Of a copy of the tests' own database, while it is empty."""
    with django_db_blocker.unblock():
        if connection.vendor == "sqlite":
            file = tmp_path_factory.mktemp("live") / "db.sqlite3"
            with connection.cursor() as cursor:
                cursor.execute("VACUUM INTO %s", [str(file)])
            yield f"sqlite:///{file}"
            return
        connection.close()
        with as_owner() as owner:  # whatever threads of other tests left: what somebody is connected to is not copied
            name = connection.settings_dict["NAME"]
            owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        with another_database(f'TEMPLATE "{name}"') as url:
            yield url


@pytest.fixture(scope="package")
def server(url):
    with served(url, SIGN_IN="on") as server:
        yield server


@pytest.fixture
def family(server):
    """Alice owns the group, and Bob is a member."""
    number = next(numbers)
    alice, bob = (Person(server.port, f"{name}{number}@example.com") for name in ("alice", "bob"))
    yield SimpleNamespace(alice=alice, bob=bob, group=alice.founds("Family", bob))
    for person in (alice, bob):
        person.connection.close()
