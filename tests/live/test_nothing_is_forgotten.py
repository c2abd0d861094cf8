"""After every write of the house a client that goes by events knows what the GETs say, wherever its stream was cut.

The suite follows through the eyes of one person of each family, always the same ones, cut at the same places;
`make live` through everybody's, in another order and cut otherwise each time; LIVE=12345 draws again what it drew then.
"""

import os
from contextlib import suppress
from random import Random, getrandbits

import pytest
from django.db import IntegrityError, connection, transaction
from rest_framework.test import APIClient

from groups.models import Activity, Caption
from tests.front.test_fresh import ALL, end_of_transaction
from tests.live.events import Page, events_of
from tests.neighbours import ours
from tests.pairs.world import make_world
from tests.pairs.writers import REFUSED

LIVE = os.environ.get("LIVE", "")
PAGES = 3 if LIVE else 1
"""Of the three people of a family."""


@pytest.fixture
def _house(sandbox_payments, sandbox_telephony, sandbox_notify, settings):
    settings.MIN_CALL_BALANCE = 500_000


def follow(client, page, random):
    """What came since, over a stream that is cut at any byte, and gone on with, as long as it is."""
    while True:
        headers = {"Last-Event-ID": page.place} if page.place else {}
        stream = client.get(f"/api/live?userId={page.user_id}", headers=headers).content
        is_cut = random.random() < 0.5
        heard = events_of(stream[: random.randrange(len(stream))] if is_cut else stream)
        page.apply(heard)
        if not is_cut:
            return


class Gets:
    """What the GETs say after one write: each is asked once, for all pages."""

    def __init__(self, client):
        self.client, self.kept = client, {}

    def __call__(self, path):
        if path not in self.kept:
            self.kept[path] = self.client.get(path)
        return self.kept[path]


def is_each_once_and_in_order(heard):
    """Of those that are still there; the database has numbered them."""
    there = Activity.objects.in_bulk(heard)
    numbers = [there[pk].number for pk in heard if pk in there]
    return numbers == sorted(set(numbers)) and len(heard) == len(set(heard))


def are_in_order(heard):
    """One that has changed is told once more."""
    last = list(dict.fromkeys(reversed(heard)))[::-1]
    there = Caption.objects.in_bulk(last)
    numbers = [there[pk].number for pk in last if pk in there]
    return numbers == sorted(set(numbers))


@pytest.mark.usefixtures("db", "_house")
def test_a_page_that_goes_by_events_knows_what_the_gets_say():
    seed = int(LIVE) if LIVE.isdigit() else getrandbits(32) if LIVE else 7
    random, client, names = Random(seed), APIClient(), [*ALL]
    random.shuffle(names)
    gets, told = Gets(client), 0
    for number, name in enumerate(names):
        where = f"{name}, by LIVE={seed}"
        if number % 4 == 0:
            gets.kept.clear()
            world = make_world()
            pages = [Page(gets, user.pk) for user in random.sample(world.people, PAGES)]
            for page in pages:
                follow(client, page, random)
                page.read_all()
            were = set(ours(Activity).values_list("pk", flat=True))
            spoken = set(ours(Caption).values_list("pk", flat=True))
        with suppress(*REFUSED, IntegrityError), transaction.atomic():
            ALL[name](world)
            connection.check_constraints()  # as its own commit would: a group that a statement names may be gone
        end_of_transaction()
        gets.kept.clear()
        for page in pages:
            if gets(f"/api/users/{page.user_id}").status_code == 404:
                assert client.get(f"/api/live?userId={page.user_id}").status_code == 404
                continue
            follow(client, page, random)
            known, page.groups = page.groups, {}
            assert page.person == page.person_now(), where
            page.read_all()
            assert (known, page.resets) == (page.groups, 0), where
            for group, heard in page.activities.items():
                new = set(Activity.objects.filter(group=group).exclude(pk__in=were).values_list("pk", flat=True))
                assert is_each_once_and_in_order(heard), where
                assert group not in page.groups or new <= {*heard}, where
                told += len(heard)
            for group, heard in page.captions.items():
                new = set(Caption.objects.filter(group=group).exclude(pk__in=spoken).values_list("pk", flat=True))
                assert are_in_order(heard), where
                assert group not in page.groups or new <= {*heard}, where
    assert told
