"""Whether each call was announced once: a worker beside the server does the jobs, and Twilio counts what it is told."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2  # type: ignore[import-untyped]  # it carries no types

from bench.database import ROOT

WORK = "from core.jobs.worker import Worker; Worker(threads=4).run(grace=5)"
"""As `manage.py work`, without the schedule: `reconcile_calls` would tell the server what the storm keeps from it."""
TASKS = ("voice.conferences.announcing.%", "groups.notifications.pushes.%")
PATIENCE = 120.0
STATES = "SELECT announcement, count(*) FROM conferences GROUP BY announcement"
PUSHES = "SELECT count(*) FILTER (WHERE told > 0), coalesce(sum(missed), 0) FROM pushes"
LEFT = "SELECT count(*) FROM jobs WHERE state IN ('waiting', 'running') AND (task LIKE %s OR task LIKE %s)"


@contextmanager
def worker(variables: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", WORK]
    process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def wait_until_told(url: str) -> None:
    ends = time.monotonic() + PATIENCE
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        while time.monotonic() < ends:
            cursor.execute(LEFT, TASKS)
            if cursor.fetchone() == (0,):
                return
            time.sleep(0.2)


def announced(url: str, notifications: int) -> tuple[dict[str, int], list[str]]:
    """How many conferences were told, spared (another of the group's was announced within the minute), or over before
    anybody could be told; and what is wrong about that."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(STATES)
        states: dict[str, int] = dict(cursor.fetchall())
        cursor.execute(PUSHES)
        pushes, missed = cursor.fetchone()
    wrong = []
    if notifications != pushes:
        wrong.append(f"{notifications} notifications of {pushes} announcements that told anybody")
    if states.get("due"):
        wrong.append(f"{states['due']} announcements were never told, nor given up")
    if missed and not states.get("lost"):
        wrong.append(f"{missed} devices were missed, of calls that went on")
    return states, wrong
