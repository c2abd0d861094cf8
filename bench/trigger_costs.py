"""Run by `bench.triggers` inside the application: writes with the triggers, and without.

What the processor did for their statements is measured, here and in PostgreSQL's process: other work on the machine
changes little in it, and all else that a request does is the same.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from core.triggers import install, lift
from groups.models import Activity, Group, Membership, Ownership
from groups.triggers import AROUND, EVERY
from tests.pairs.world import World, make_world
from tests.pairs.writers import REFUSED, WRITERS
from users.models import User

A_ROUND = 25
MOST_MILLISECONDS, MOST_TIMES = 0.2, 1.3
DOORS = (
    *("PUT person", "PUT group", "POST activity", "accept an invitation", "invite", "decline", "leave"),
    *("make an owner", "take an owner off", "join the call list", "take off the call", "end the call"),
    *("Twilio tells: join", "Twilio tells: leave", "Twilio tells: conference-end", "make a call"),
)
TIMES = 2
"""Each deletion is measured so often, with and without."""
Write = Callable[[], object]
Prepare = Callable[[World], Write]


class UndoneError(Exception):
    """Ends a deletion that is measured again."""


def measure(rounds: int, people: int, activities: int) -> None:
    settings.MIN_CALL_BALANCE = 500_000
    logging.disable(logging.INFO)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")
    print(f"milliseconds a write, medians of {rounds * A_ROUND}\n\n{'':<44}{'without':>10}{'with':>10}{'more':>8}")
    for name, prepare in kinds():
        without, with_them = (1000 * median(times) for times in in_turns(rounds, partial(some_writes, prepare)))
        more = with_them - without
        is_much = more > MOST_MILLISECONDS
        print(f"{name:<44}{without:>10.2f}{with_them:>10.2f}{more:>8.2f}{'  TOO MUCH' if is_much else ''}", flush=True)
    print(f"\nseconds of the processor, least of {TIMES}\n\n{'':<44}{'without':>10}{'with':>10}{'times':>8}")
    for name, fill, size in (("{:,} people", people_in_groups, people), ("{:,} activities", busy_group, activities)):
        if size:
            without, with_them = (min(times) for times in in_turns(TIMES, partial(deletion, fill, size)))
            is_much = with_them > MOST_TIMES * without
            columns = f"{without:>10.2f}{with_them:>10.2f}{with_them / without:>8.2f}"
            print(f"DELETE {name.format(size):<37}{columns}{'  TOO MUCH' if is_much else ''}", flush=True)


def in_turns(rounds: int, work: Callable[[], list[float]]) -> tuple[list[float], list[float]]:
    """Without the triggers, and with them."""
    without: list[float] = []
    with_them: list[float] = []
    for number in range(2 * rounds):
        if number % 4 in (0, 3):  # so that neither is always the second
            with lifted():
                without += work()
        else:
            with_them += work()
    return without, with_them


@contextmanager
def lifted() -> Iterator[None]:
    lift(EVERY)
    try:
        yield
    finally:
        install(EVERY)


def kinds() -> Iterator[tuple[str, Prepare]]:
    yield "UPDATE users", lambda world: partial(User.objects.filter(pk=world.alice.pk).update, display_name="Al")
    yield "UPDATE groups", lambda world: partial(Group.objects.filter(pk=world.group.pk).update, name="Kin")
    for model in AROUND:
        table = model._meta.db_table
        yield f"INSERT {table}", partial(insert, model)
        yield f"UPDATE {table}", lambda world, model=model: partial(last(model, world).update, user=world.carol)
        yield f"DELETE {table}", lambda world, model=model: partial(last(model, world)._raw_delete, "default")
    for name in DOORS:
        yield name, partial(partial, WRITERS[name])


def insert(model: Any, world: World) -> Write:
    last(model, world).delete()
    return partial(model._base_manager.bulk_create, [model(group=world.work, user=world.carol)])


def last(model: Any, world: World) -> Any:
    """A row of the world, as a queryset."""
    rows = model._base_manager.filter(group__in=(world.group, world.work))
    return model._base_manager.filter(pk=rows.latest("pk").pk)


def some_writes(prepare: Prepare) -> list[float]:
    """What the statements of each took, in seconds. Each has its own world."""
    return [statements_took(prepare(make_world())) for _ in range(A_ROUND)]


def statements_took(write: Write) -> float:
    seconds = 0.0

    def measured(execute: Any, *given: Any) -> Any:
        nonlocal seconds
        begun = spent()
        try:
            return execute(*given)
        finally:
            seconds += spent() - begun

    with connection.execute_wrapper(measured), suppress(*REFUSED):
        write()
    return seconds


def deletion(fill: Callable[[int], Any], size: int) -> list[float]:
    """What it took, in seconds. It is undone."""
    with suppress(UndoneError), transaction.atomic():
        rows = fill(size)
        begun = spent()
        rows.delete()
        seconds = spent() - begun
        raise UndoneError
    return [seconds]


def spent() -> float:
    """Seconds of the processor so far. https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat"""
    if connection.vendor == "sqlite":
        return time.process_time()
    theirs = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text()
    return time.process_time() + int(theirs.split()[0]) / 1e9


def people_in_groups(size: int) -> Any:
    """Members of a hundred groups, who did three things each."""
    people = User.objects.bulk_create(
        User(email=f"goer{number}@example.com", display_name=f"Goer {number}", phone_number=15550000000 + number)
        for number in range(size)
    )
    owner = make_world().alice
    groups = Group.objects.bulk_create(Group(name=f"Group {number}") for number in range(100))
    Ownership.objects.bulk_create(Ownership(group=group, user=owner) for group in groups)
    places = [(groups[number % 100], user) for number, user in enumerate(people)]
    Membership.objects.bulk_create(Membership(group=group, user=user) for group, user in places)
    Activity.objects.bulk_create(Activity(group=group, user=user, activity="spoke") for group, user in places * 3)
    return User.objects.filter(pk__in=[user.pk for user in people])


def busy_group(size: int) -> Any:
    world = make_world()
    Activity.objects.bulk_create(
        (Activity(group=world.group, user=world.bob, activity="spoke") for _ in range(size)), batch_size=5_000
    )
    return Group.objects.filter(pk=world.group.pk)
