"""Tasks that tests enqueue. What they do is written where another process sees it: a line of a file."""

import os
import time
from pathlib import Path

from django_tasks import task

from billing.gateway.interface import PaymentsUnavailable
from core import deadline

MARKS = "JOB_MARKS"
"""The environment's name of the file."""


def mark(word):
    with Path(os.environ[MARKS]).open("a") as file:
        file.write(f"{word}\n")


@task
def note(word):
    mark(word)
    return word


@task(tries=2)
def fail(word):
    mark(word)
    raise KeyError("rose@example.com")


@task
def find_vendor_silent(word):
    mark(word)
    raise PaymentsUnavailable("cus_secret")


@task(seconds=1, tries=1)
def hang(word):
    mark(word)
    time.sleep(60)


@task(seconds=5)
def ask_how_long(word):
    mark(f"{deadline.time_left(100):.0f}")


@task
def linger(word, seconds):
    """In a worker's process, which is told to end meanwhile."""
    mark(f"{word} begun")
    time.sleep(seconds)
    mark(f"{word} done")


@task
def enqueue_itself(word):
    mark(word)
    if len(Path(os.environ[MARKS]).read_text().splitlines()) < 2:
        enqueue_itself.enqueue(word)


@task
def answer_no_json(word):
    mark(word)
    return object()


def no_task():
    mark("never")
