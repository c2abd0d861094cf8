"""The ledger's triggers off for a moment: to plant what only somebody with the database's own rights could do."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from billing import triggers


@contextmanager
def triggers_lifted() -> Iterator[None]:
    """They are on again at the end, so that nothing but what was planted is found."""
    connection.check_constraints()  # PostgreSQL changes no table on which a check is still due
    triggers.lift()
    yield
    connection.check_constraints()
    triggers.install()
