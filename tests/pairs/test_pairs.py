"""Every two writers at once: none waits for another that waits for it. See "Locks" in docs/design.md.

The suite runs some of the pairs, the same ones each time; `make pairs` all of them, 50 times each.
"""

import os
from collections import Counter
from itertools import combinations_with_replacement
from random import Random
from time import monotonic

import pytest
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from billing.models import SandboxObject, StripeEvent, TopUp
from tests.pairs.meeting import pair, stops
from tests.pairs.world import make_world
from tests.pairs.writers import WRITERS
from voice.models import Call, Conference

RUNS = int(os.environ.get("PAIRS", "0"))
"""How often each pair is run; 0 where only some are, once."""
SOME = 60
ALL = list(combinations_with_replacement(WRITERS, 2))

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(on_postgresql, sandbox_payments, sandbox_telephony, sandbox_notify, settings):
    """All of it, with limits that money sets."""
    settings.MIN_CALL_BALANCE = 500_000


def forget_the_world():
    """What is left of it must not occupy the next one's commands. What was forgotten before is left alone: after a
    thousand worlds there are many calls."""
    now = timezone.now()
    forgotten = Q(price_due_at=None, charged_micros=0, settled_by="staff") & ~Q(end_time=None)
    Call.objects.exclude(forgotten).update(end_time=now, price_due_at=None, charged_micros=0, settled_by="staff")
    Conference.objects.filter(ended_at=None).update(ended_at=now)
    TopUp.objects.exclude(status__in=("succeeded", "refused")).update(status="refused")
    StripeEvent.objects.filter(applied_at=None).update(applied_at=now)
    SandboxObject.objects.all().delete()


def meet(runs, seed=1):
    """How many of the runs of each pair were broken off."""
    random, broken = Random(seed), Counter()
    with pair() as both:
        for one, other in runs:
            world = make_world()
            codes = both.meet(world, [WRITERS[one], WRITERS[other]], stops(random))
            broken[f"{one} | {other}"] += bool(codes)
            forget_the_world()
    return broken


def deadlocks():
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


@pytest.mark.skipif(RUNS > 0, reason="make pairs runs them all")
def test_no_two_writers_wait_for_each_other(house):
    broken = meet(Random(1).sample(ALL, SOME))
    assert {name: count for name, count in broken.items() if count} == {}


@pytest.mark.skipif(RUNS == 0, reason="set PAIRS=50, or run `make pairs`")
def test_all_pairs(house, capsys):
    begun = monotonic()
    only = os.environ.get("PAIRS_OF", "")
    pairs = [each for each in ALL if only in "|".join(each)]
    broken = meet([each for each in pairs for _ in range(RUNS)], seed=int(os.environ.get("SEED", "1")))
    with capsys.disabled():
        print(f"\n{len(pairs)} pairs of {len(WRITERS)} writers, {RUNS} runs each, {monotonic() - begun:.0f} s")
        for name, count in broken.most_common():
            if count:
                print(f"{count:>4} of {RUNS} broken off: {name}")
        print(f"{sum(broken.values())} runs broken off; PostgreSQL counts {deadlocks()} deadlocks in this database")
    assert not +broken
