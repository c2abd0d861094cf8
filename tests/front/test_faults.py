"""While the door's line can tell nothing, polls are Django's; then they are the door's again. `make faults` has real
faults, under load."""

import psycopg2
import pytest

from tests.front.through import TIMES, Through
from voicechat.front.counts import counts


@pytest.fixture
def api(db):
    client = Through()
    yield client
    client.close()


@pytest.fixture
def line(api):
    """What is done with it is done on its loop."""

    def line(work, *arguments):
        api.loop.call_soon_threadsafe(work, *arguments)

    return line


@pytest.fixture
def heals(api, line):
    return lambda: line(setattr, api.door.line, "tries_after", float("-inf"))


def polled(api, path):
    """How many of so many polls were given from what is kept, and how many were Django's. All say what Django says."""
    before = counts.kept, counts.passed
    api.get(path)
    return counts.kept - before[0], counts.passed - before[1]


def test_polls_are_djangos_until_the_line_heals(api, line, heals, group, alice):
    path = f"/api/groups/{group.pk}/groupOwners"
    polled(api, path)
    assert polled(api, path) == (TIMES, 0)
    line(api.door.line.give_up, psycopg2.OperationalError())
    alice.display_name = "Al"
    alice.save()
    assert polled(api, path) == (0, TIMES)
    heals()
    kept, passed = polled(api, path)
    assert (kept, passed) == (TIMES - 1, 0)  # one is made anew
