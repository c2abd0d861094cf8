"""Transactions that PostgreSQL may break off, and the rows that they lock. docs/design.md, "Locks", has the order."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import QuerySet

logger = logging.getLogger(__name__)

MOST_TRIES = 5
MET = ("40001", "40P01")
"""What PostgreSQL says to one of two transactions that cannot both be: https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html"""

READ_ONE_STATE = {"postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", "sqlite": "BEGIN"}

P = ParamSpec("P")
R = TypeVar("R")


def was_broken_off(error: BaseException) -> bool:
    """Whether the transaction met another one, and may well succeed when it is tried again."""
    return isinstance(error, OperationalError) and getattr(error.__cause__, "pgcode", None) in MET


def has_met(error: BaseException) -> bool:
    """As `was_broken_off`; or it found something changed or gone that it needs. A new try finds what stands there."""
    return isinstance(error, IntegrityError) or was_broken_off(error)


def atomic_and_retried(work: Callable[P, R]) -> Callable[P, R]:
    """A transaction that is tried again where PostgreSQL breaks it off for another one: for what asks no vendor.

    Inside another transaction it is a part of it, and it is for the outermost one to try again. What is to follow the
    commit (`transaction.on_commit`) follows once, and nothing else may be done that a second try would do twice.
    """

    @wraps(work)
    def tried(*args: P.args, **kwargs: P.kwargs) -> R:
        tries = 1 if connection.in_atomic_block else MOST_TRIES
        for tries_left in reversed(range(tries)):
            try:
                with transaction.atomic():
                    return work(*args, **kwargs)
            except OperationalError as error:
                if not tries_left or not was_broken_off(error):
                    raise
                logger.warning("%s met another transaction and is tried again", work.__qualname__)
        raise AssertionError("the last try returns or raises")

    return tried


def lock_rows(rows: QuerySet[Any, Any]) -> list[Any]:
    """Locks these rows in the order of their ids, so that two who want some of the same never wait for each other.

    Not against who only refers to them (`FOR NO KEY UPDATE`).
    https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-ROWS
    """
    return list(rows.order_by("pk").select_for_update(no_key=True, of=("self",)))


@contextmanager
def reading_one_state() -> Iterator[None]:
    """A transaction that only reads, and sees one state. Django's own would wait for SQLite's one writer."""
    if connection.in_atomic_block:  # a test's
        yield
        return
    execute(READ_ONE_STATE[connection.vendor])
    try:
        yield
    finally:
        execute("ROLLBACK")


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
