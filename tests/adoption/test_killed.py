"""Killed at any moment, and started again: nothing is lost, and nothing done twice."""

import random
import signal
import subprocess
import sys
import time

import pytest

from tests.adoption.conftest import empty, family
from tests.adoption.first import ROOT, Old, adopt, adopted, environment

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
    """The family's, with two empty lists: each part costs these tests a kill."""
    family(old)
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
    assert kills >= 10
    assert [each for each in numbers if 0 < each < 30] == [9, 18, 27]
    assert rows(old) == whole
    assert old.run('SELECT count(*) FROM (SELECT * FROM "ledgerEntries") AS entries') == [(2,)]


def test_killed_before_it_counts_and_started_again(old, whole):
    assert adopt(old.url, FAILPOINT="adoption_copied")[0] == -signal.SIGKILL
    assert "Going on where it stopped" in adopted(old.url)
    assert rows(old) == whole


def test_killed_at_drawn_moments_and_started_again(old, whole):
    """SIGKILL, as the system sends it: also while the old tables are renamed, or the new ones made."""
    drawn, kills = random.Random(7), 0
    wait = drawn.uniform(0.5, 1.5)
    while kills < 6:
        command = [sys.executable, "manage.py", "adopt_database", "--at-once", "5"]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(old.url), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(wait)
        process.kill()
        if process.wait() == 0:
            break
        kills, wait = kills + 1, wait + drawn.uniform(0, 1)
    adopted(old.url)
    assert kills
    assert rows(old) == whole


def test_a_row_that_got_lost_in_between_is_noticed(old):
    assert adopt(old.url, FAILPOINT="adoption_copied")[0] == -signal.SIGKILL
    old.run("DELETE FROM activities WHERE id = 17")
    status, said, wrong = adopt(old.url)
    assert status == 1
    assert "activities: 30 before, and 29 after" in wrong
    assert "NO" in said


def test_money_that_is_not_the_same_is_noticed(old):
    assert adopt(old.url, FAILPOINT="adoption_copied")[0] == -signal.SIGKILL
    old.run('UPDATE users SET "accountBalance" = 1 WHERE id = 2')
    status, _, wrong = adopt(old.url)
    assert status == 1
    assert "dollars that people see: 14.75 before, and 14.750001 after" in wrong
    assert "every person's balance is their account's last: 1 not" in wrong


def test_two_at_once_do_not_both_work(old):
    """The second one says so, and ends."""
    both = [
        subprocess.Popen(
            [sys.executable, "manage.py", "adopt_database", "--at-once", "1"],
            cwd=ROOT,
            env=environment(old.url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ends = [(*each.communicate(timeout=300), each.returncode) for each in both]
    assert sorted(status for _, _, status in ends) == [0, 1]
    assert "is at work on this database" in next(wrong for _, wrong, status in ends if status)
