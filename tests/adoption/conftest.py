"""Databases of the first back end, of the kind that the tests use; gone at the end."""

from contextlib import contextmanager

import pytest
from django.db import connection

from tests.adoption.first import Old
from tests.house.test_migrate import as_owner, quote


@contextmanager
def empty(tmp_path_factory, name, vendor=None):
    """The address of an empty database."""
    if (vendor or connection.vendor) == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp(name)}/{name}.sqlite3"
        return
    made, name = connection.settings_dict, f"{connection.settings_dict['NAME']}_{name}"
    with as_owner() as owner:
        owner.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        owner.execute(f'CREATE DATABASE "{name}"')
        known = quote(made["USER"]) + (f":{quote(made['PASSWORD'])}" if made["PASSWORD"] else "")
        try:
            yield f"postgres://{known}@{quote(made['HOST'], safe='')}:{made['PORT'] or 5432}/{name}"
        finally:
            owner.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def url(django_db_setup, tmp_path_factory):
    """Of an empty database."""
    with empty(tmp_path_factory, "first") as url:
        yield url


@pytest.fixture
def another_url(django_db_setup, tmp_path_factory):
    with empty(tmp_path_factory, "new") as url:
        yield url


@pytest.fixture
def old(url):
    """A database of the first back end, with three people (of whom two are one), and what they did in two groups."""
    return family(Old(url).make())


def family(old):
    old.person(1, "Rose@example.com", accountBalance=12.5, stripeId="cus_rose", last4="4242", phoneNumber=5550123)
    old.person(2, "tom@example.com", accountBalance=0, avatar="https://example.com/tom.jpg")
    old.person(7, "rose@EXAMPLE.com", accountBalance=2.25, firstName="Rosie", createdAt="2019-05-01 10:00:00")
    old.group(1, name="Sunday lunch", phoneNumber="5550199")
    old.group(2, callStatus=True)
    old.part("usersGroupsOwnership", 1, 1, createdAt="2019-05-01 10:00:00")
    old.part("usersGroupsMembership", 2, 1, createdAt="2019-05-02 10:00:00")
    old.part("usersGroupsMembership", 7, 1, createdAt="2019-05-01 09:00:00")
    old.part("usersGroupsMembership", 1, 1, createdAt="2019-05-03 10:00:00")
    old.part("usersGroupsMembership", 2, 1, createdAt="2019-05-04 10:00:00")
    old.part("usersGroupsInvitations", 2, 2)
    old.part("usersGroupsParticipants", 2, 1)
    for number in range(1, 31):
        user, group = (1, 2, 7)[number % 3], 1 + number % 2
        old.did(number, user, group, createdAt=f"2020-01-{number:02d} 10:00:00")
    times = {"startTime": "2019-04-14T10:00:00.000Z", "endTime": "2019-04-14T10:02:30.000Z"}
    old.call(1, sid=f"CA{1:032x}", userId=7, groupId=1, duration=2, price=-0.017, **times)
    old.call(2, userId=2, groupId=2)
    return old


@pytest.fixture
def free(old):
    """Without the references that PostgreSQL holds rows to: a database that was restored in parts has none."""
    if old.vendor == "postgresql":
        found = old.run(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f' "
            "AND connamespace = 'public'::regnamespace"
        )
        for table, name in found:
            old.run(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    return old
