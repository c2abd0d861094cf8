"""Killed at any moment, and started again: nothing is lost, and nothing done twice."""

import random
import signal
from contextlib import closing

import pytest
from django.db import connection
from django.db.utils import load_backend

from tests.adoption.conftest import empty, family
from tests.adoption.first import Old, adopt, adopted, count_of
from voicechat.database_url import read_database
from voicechat.management.commands.migrate import lock_of

TABLES = (
    "users",
    "groups",
    "usersGroupsOwnership",
    "usersGroupsMembership",
    "usersGroupsInvitations",
    "usersGroupsParticipants",
    "activities",
    "callSessions",
    "accounts",
    "ledgerEntries",
)
CHANGING = ("version", "callStatusAt", "created_at")


def rows(old):
    """What is in the new tables, but for the moments at which it was written."""
    found = {}
    for table in TABLES:
        columns = [name for name in columns_of(old, table) if name not in CHANGING]
        shown = ", ".join(f'"{name}"' for name in columns)
        found[table] = old.run(f'SELECT {shown} FROM "{table}" ORDER BY id')
    return found


def columns_of(old, table):
    if old.vendor == "sqlite":
        return [row[1] for row in old.run(f'PRAGMA table_info("{table}")')]
    asked = "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position"
    return [name for (name,) in old.run(asked, [table])]


def small(old):
    """The family's, with two empty lists: each part costs these tests a kill. And a row that names no group."""
    family(old)
    old.part("usersGroupsMembership", 2, None)
    for name in ("usersGroupsInvitations", "usersGroupsParticipants"):
        old.run(f'DELETE FROM "{name}"')
    return old


@pytest.fixture
def old(url):
    return small(Old(url).make())


@pytest.fixture(scope="module")
def whole(django_db_setup, tmp_path_factory):
    """What becomes of the family's database in one go."""
    with empty(tmp_path_factory, "whole") as url:
        old = small(Old(url).make())
        adopted(url)
        yield rows(old)


def test_killed_after_each_part_and_started_again(old, whole):
    """Each run copies one part more, and is killed right after it."""
    kills, numbers = 0, []
    assert adopt(old.url, "--at-once", "4", FAILPOINT="adoption_begun")[0] == -signal.SIGKILL
    while (status := adopt(old.url, "--at-once", "9", FAILPOINT="adopted_part")[0]) == -signal.SIGKILL:
        kills += 1
        numbers.append(old.run("SELECT count(*) FROM activities")[0][0])
        assert kills < 20
    assert status == 0
    assert kills == 9
    assert [each for each in numbers if 0 < each < 30] == [9, 18, 27]
    assert rows(old) == whole
    assert old.run('SELECT count(*) FROM (SELECT * FROM "ledgerEntries") AS entries') == [(2,)]


def test_killed_after_drawn_statements_and_started_again(old, whole):
    """Also while the old tables are renamed, or the new ones made."""
    drawn = random.Random(7)
    for least, most in ((2, 12), (13, 60), (61, 120)):
        kill(old, kill_at=drawn.randint(least, most))
    kill(old, FAILPOINT="adopted_part")
    for _ in range(3):
        kill(old, kill_at=drawn.randint(20, 50))
    assert "Going on where it stopped" in adopted(old.url, "--at-once", "5")
    assert rows(old) == whole


def kill(old, **how):
    status, said, wrong = adopt(old.url, "--at-once", "5", **how)
    assert status == -signal.SIGKILL, said + wrong


def test_killed_before_it_counts_it_notices_what_changed_in_between(old, whole):
    """A row that got lost, and money and a price that are not the same. Put right, it ends as if nothing had been."""
    assert adopt(old.url, FAILPOINT="adoption_copied")[0] == -signal.SIGKILL
    (lost,) = old.run('SELECT * FROM "usersGroupsOwnership"')
    old.run('DELETE FROM "usersGroupsOwnership"')
    old.run('UPDATE users SET "accountBalance" = 1 WHERE id = 2')
    ((call, price), *_) = old.run('SELECT id, price FROM "callSessions" WHERE price < 0 ORDER BY id')
    old.run('UPDATE "callSessions" SET price = 0 WHERE id = %s', (call,))
    status, said, wrong = adopt(old.url)
    assert status == 1
    assert "owners: 1 before, and 0 after" in wrong
    assert "dollars that people see: 14.75 before, and 14.750001 after" in wrong
    assert "every person's balance is their account's last: 1 not" in wrong
    assert "dollars that calls cost: " in wrong
    assert said.count(" NO\n") == 3
    old.run(f'INSERT INTO "usersGroupsOwnership" VALUES ({", ".join(["%s"] * len(lost))})', lost)
    old.run('UPDATE users SET "accountBalance" = NULL WHERE id = 2')
    old.run('UPDATE "callSessions" SET price = %s WHERE id = %s', (price, call))
    said = adopted(old.url)
    assert "Going on where it stopped" in said
    assert count_of(said, "members: rows that name no group") == 1
    assert rows(old) == whole


def test_two_at_once_do_not_both_work(old, django_db_blocker):
    """The second one says so, and ends."""
    before = old.dump()
    settings, _ = read_database(old.url)
    first = load_backend(settings["ENGINE"]).DatabaseWrapper({**connection.settings_dict, **settings}, "first")
    with django_db_blocker.unblock(), closing(first), lock_of(first) as is_free:
        assert is_free()
        status, _, wrong = adopt(old.url)
        assert old.dump() == before
    assert (status, wrong.count("\n")) == (1, 1)
    assert "is at work on this database" in wrong
