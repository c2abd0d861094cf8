"""Whoever writes, by whichever way: the very next poll gives what Django gives, whatever was kept before."""

from contextlib import suppress
from random import Random

import pytest
from django.db import connection, transaction

from groups.triggers import GOES
from tests.conftest import person
from tests.front.through import Through
from tests.pairs.world import make_world
from tests.pairs.writers import REFUSED, WRITERS
from users.models import User
from voicechat.front.counts import counts

LISTS = ("groupMembers", "callParticipants", "activities", "callStatus")
BY_HAND = (
    "UPDATE users SET \"displayName\" = 'Al' WHERE id = {w.alice.pk}",
    "UPDATE users SET avatar = 'https://example.com/a.png' WHERE id = {w.bob.pk}",
    "UPDATE groups SET name = 'Kin' WHERE id = {w.group.pk}",
    'INSERT INTO activities ("userId", "groupId", activity) VALUES ({w.bob.pk}, {w.work.pk}, \'sang\')',
    "UPDATE activities SET activity = 'whistled' WHERE \"groupId\" = {w.group.pk}",
    'DELETE FROM activities WHERE "userId" = {w.alice.pk}',
    'DELETE FROM "usersGroupsMembership" WHERE "userId" = {w.bob.pk}',
    'UPDATE "usersGroupsInvitations" SET "groupId" = {w.work.pk} WHERE "userId" = {w.carol.pk}',
    'DELETE FROM "usersGroupsParticipants" WHERE "groupId" = {w.group.pk}',
)


def by_hand(statement):
    def write(world):
        with connection.cursor() as cursor:
            cursor.execute(statement.format(w=world))

    return write


ALL = {**WRITERS, **{statement: by_hand(statement) for statement in BY_HAND}}


@pytest.fixture
def api(db):
    client = Through()
    yield client
    client.close()


def end_of_transaction():
    """What a deletion settles on PostgreSQL ends with its own transaction; here all share the test's."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, '', true)", [GOES])


def paths(world):
    yield from (f"/api/users/{world.alice.pk}/detailed", f"/api/users/{world.carol.pk}/detailed")
    yield from (f"/api/users/{user.pk}" for user in world.people)
    for group in (world.group, world.work):
        yield from (f"/api/groups/{group.pk}/{name}" for name in LISTS)


@pytest.fixture
def _house(sandbox_payments, sandbox_telephony, sandbox_notify, settings):
    """All of it, with limits that money sets."""
    settings.MIN_CALL_BALANCE = 500_000


def test_so_it_is_for_who_is_in_no_group(api):
    zoe, api.times = person("Zoe"), 3
    path = f"/api/users/{zoe.pk}/detailed"
    api.get(path)
    User.objects.filter(pk=zoe.pk).update(display_name="Zo")
    assert api.get(path).json()["displayName"] == "Zo"


@pytest.mark.usefixtures("_house")
def test_the_next_poll_after_any_write_is_right(api):
    random, names, before = Random(7), [*ALL], counts.kept
    random.shuffle(names)
    for number, name in enumerate(names):
        if number % 4 == 0:
            world, api.times = make_world(), 3
            for path in paths(world):
                api.get(path)
            api.times = 1
        with suppress(*REFUSED), transaction.atomic():
            ALL[name](world)
        end_of_transaction()
        for path in paths(world):
            api.get(path)
    assert counts.kept - before > len(names)
