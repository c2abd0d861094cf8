"""The database itself raises a person's version with each change of their row, whoever writes it."""

from typing import Any

from django.db import connections

from core import triggers
from core.triggers import own_version
from users.models import User

TRIGGERS = (own_version(User),)


def install(using: str = "default", **kwargs: Any) -> None:
    triggers.install(TRIGGERS, using=using)


def make_way(using: str = "default", **kwargs: Any) -> None:
    """For a migration on SQLite; PostgreSQL's stay."""
    if connections[using].vendor == "sqlite":
        triggers.lift(TRIGGERS, using=using)
