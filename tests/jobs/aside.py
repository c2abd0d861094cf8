"""`manage.py work` in processes of its own, on a database that is theirs and the test's."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager

import psycopg2

from bench.database import ROOT

PATIENCE = 30
LONG_AGO = "2026-01-01 00:00:00+00:00"
COLUMNS = "task, arguments, cause, state, due_at, tries, worker, fault, result, enqueued_at, written_at"


class Aside:
    """A database that is migrated, its jobs, and who does them."""

    def __init__(self, environment, marks):
        self.environment, self.marks_file = environment, marks
        self.url = environment["DATABASE_URL"]
        self.on_postgresql = self.url.startswith("postgres")

    @contextmanager
    def cursor(self):
        connection = psycopg2.connect(self.url) if self.on_postgresql else sqlite3.connect(self.url[10:], timeout=20)
        with closing(connection), connection:
            yield connection.cursor()

    def store(self, task, *words):
        """A job, as another release may have stored it."""
        path, arguments = f"tests.jobs.tasks.{task}", json.dumps([words, {}])
        values = (path, arguments, f"{task} {arguments}", "waiting", LONG_AGO, 0, "", "", "", LONG_AGO, LONG_AGO)
        with self.cursor() as cursor:
            marks = ", ".join(["%s" if self.on_postgresql else "?"] * len(values))
            cursor.execute(f"INSERT INTO jobs ({COLUMNS}) VALUES ({marks})", values)

    def jobs(self):
        """What stands of each: its state, how often it was begun, and its fault."""
        with self.cursor() as cursor:
            cursor.execute("SELECT state, tries, fault FROM jobs ORDER BY id")
            return [tuple(row) for row in cursor.fetchall()]

    def states(self):
        return [state for state, _, _ in self.jobs()]

    def time_passes(self):
        """Leases and waits are over."""
        with self.cursor() as cursor:
            cursor.execute(f"UPDATE jobs SET due_at = '{LONG_AGO}' WHERE state IN ('waiting', 'running')")

    def put_off(self, state):
        with self.cursor() as cursor:
            cursor.execute(f"UPDATE jobs SET due_at = '2126-01-01 00:00:00+00:00' WHERE state = '{state}'")

    def is_due(self):
        """Whether something is that has a lease."""
        with self.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM jobs WHERE state = 'running' AND due_at <= '{LONG_AGO}'")
            return bool(cursor.fetchone()[0])

    def marks(self):
        return self.marks_file.read_text().splitlines()

    @contextmanager
    def worker(self, *flags, failpoint="off"):
        command = [sys.executable, "manage.py", "work", "--threads", "2", *flags]
        environment = {**self.environment, "FAILPOINT": failpoint}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE)
        try:
            yield process
        finally:
            process.stdin.close()
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()

    def once(self):
        subprocess.run([sys.executable, "manage.py", "work", "--once"], cwd=ROOT, env=self.environment, check=True)


def wait_until(holds):
    ends = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.05)


def start(url, marks):
    return Aside({**os.environ, "DATABASE_URL": url, "JOB_MARKS": str(marks)}, marks)
