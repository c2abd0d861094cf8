"""What requests do: they store jobs, each with others in a transaction, of which some are rolled back."""

import sys
import time

from django.db import DatabaseError, InterfaceError, connection, transaction

from bench.jobs.tasks import ask_vendor
from core.jobs.models import Job
from core.jobs.queue import enqueue_each

AT_ONCE = 50
MOST_WAITING = 600
"""So that what waits is what breaks, and not who is slow."""
ROLLED_BACK = 10_000_000
"""Numbers from here on are stored and rolled back: nobody may ever ask for them."""


def produce(number: int) -> None:
    first = 1
    while first <= number:
        try:
            first = store(first, min(first + AT_ONCE, number + 1))
        except (DatabaseError, InterfaceError):  # nobody knows whether the commit was done: as a client would, it looks
            connection.close()
            time.sleep(0.5)
    sys.stdout.write("all are stored\n")


def store(first: int, end: int) -> int:
    """The number to go on with."""
    while Job.objects.unfinished().count() > MOST_WAITING:
        time.sleep(0.05)
    known = Job.objects.filter(arguments=f"[[{first}], {{}}]").exists()
    if not known:
        with transaction.atomic():
            enqueue_each(ask_vendor, [(each + ROLLED_BACK,) for each in range(first, end)])
            transaction.set_rollback(True)
        with transaction.atomic():
            enqueue_each(ask_vendor, [(each,) for each in range(first, end)])
    return end
