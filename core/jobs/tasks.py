"""What a task is: a function that may be called twice, and says how long it takes and how often it is tried.

    @task(seconds=10)
    def end_leg(call_id: int) -> None: ...

    end_leg.enqueue(17)                                     # in the transaction of what caused it: one INSERT
    end_leg.using(run_after=now + MINUTE).enqueue(17)       # not before that

Its arguments are JSON, and ids: a job's row is kept for a time, and shown to operators. A worker that is killed leaves
its job to another, which calls the function anew: what it asks of a vendor bears that, by a key or by itself.
"""

import hashlib
import json
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar

from django.utils.module_loading import import_string
from django_tasks.base import Task
from django_tasks.utils import normalize_json

P = ParamSpec("P")
R = TypeVar("R")

FIRST_WAIT = timedelta(seconds=5)
LONGEST_CAUSE = 200


class UnknownTaskError(LookupError):
    """No such task is in this release: it was before, or will be."""


class UnreadableArgumentsError(ValueError):
    """They are no JSON, or none that a call could be made of."""


@dataclass(frozen=True, slots=True)
class Bounds:
    seconds: float = 30.0
    """So long may it take: its vendor calls share that time, and beyond it the job is taken from it."""
    tries: int = 12
    """How often it is begun before it is given up: with the waits below about six hours."""
    longest_wait: timedelta = timedelta(hours=1)

    def wait(self, tries: int) -> timedelta:
        """After so many tries that failed: 5 seconds, 15, 45 and so on, up to the longest. No two jobs wait equally
        long, or they would all come again at once."""
        wait: timedelta = min(FIRST_WAIT * 3 ** min(tries - 1, 16), self.longest_wait)
        return wait * random.uniform(0.75, 1.25)  # noqa: S311  # no secret


USUAL = Bounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTask(Task[P, R]):
    """A task with the bounds of its jobs: `@task(seconds=10, tries=3)`."""

    seconds: float = USUAL.seconds
    tries: int = USUAL.tries
    longest_wait: timedelta = USUAL.longest_wait

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.seconds, self.tries, self.longest_wait)


def task_at(path: str) -> "JobTask[..., Any]":
    """The task of this path. Raises UnknownTaskError."""
    try:
        found = import_string(path)
    except (ImportError, ValueError) as error:
        raise UnknownTaskError(path) from error
    if not isinstance(found, JobTask):
        raise UnknownTaskError(path)
    return found


def bounds_of(path: str) -> Bounds:
    """The usual ones where the task is unknown: a newer worker may know it."""
    try:
        return task_at(path).bounds
    except UnknownTaskError:
        return USUAL


def written(args: Any, kwargs: Any) -> str:
    """The arguments of a call, as a job's row keeps them. Raises TypeError or ValueError for what is no JSON."""
    return json.dumps(normalize_json([list(args), dict(kwargs)]), sort_keys=True, allow_nan=False)


def read(arguments: str) -> tuple[list[Any], dict[str, Any]]:
    """Raises UnreadableArgumentsError."""
    try:
        args, kwargs = json.loads(arguments)
        return list(args), dict(kwargs)
    except (TypeError, ValueError) as error:
        raise UnreadableArgumentsError from error


def cause(path: str, arguments: str) -> str:
    """By which two jobs are one: legible where it is short."""
    args, kwargs = read(arguments)
    words = (path, *map(str, args), *(f"{name}={value}" for name, value in kwargs.items()))
    text = ":".join(words)
    if len(text) <= LONGEST_CAUSE and not any(":" in str(word) for word in words):
        return text
    return f"{path[: LONGEST_CAUSE - 33]}:{hashlib.blake2b(arguments.encode(), digest_size=16).hexdigest()}"
