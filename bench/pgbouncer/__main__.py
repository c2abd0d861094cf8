"""The tests that a pooler could break, through a real PgBouncer in transaction mode: two connections for everybody.

    python -m bench.pgbouncer [what pytest takes]

PgBouncer stands on a free loopback port in front of the PostgreSQL of DATABASE_URL (by default postgres at
127.0.0.1:5432), and forces TLS upon its clients, as a managed database does.
"""

import os
import subprocess
import sys
from contextlib import closing
from urllib.parse import urlsplit

import psycopg2
from psycopg2 import sql

from bench.database import ROOT
from bench.pgbouncer.pooler import MissingError, pooler

DEFAULT = "postgres://postgres@127.0.0.1:5432/postgres"
NAME = "voicechat_pgbouncer"
MOST_SECONDS = 1200
TESTS = (
    "tests/house/test_connections.py",
    "tests/admin",
    "tests/wire",
    "tests/groups",
    "tests/users/api",
    "tests/billing/api",
    "tests/billing/test_money_races.py",
    "tests/voice/conferences",
)


def main() -> int:
    url = os.environ.get("DATABASE_URL") or DEFAULT
    try:
        drop(url)  # what an interrupted run left
    except psycopg2.OperationalError as error:
        sys.exit(f"A PostgreSQL is needed, at 127.0.0.1:5432 or where DATABASE_URL says. {error}")
    try:
        with pooler(urlsplit(url), NAME) as pooled:
            return run_tests(pooled, sys.argv[1:] or TESTS)
    except MissingError as error:
        sys.exit(str(error))
    finally:
        drop(url)


def run_tests(url: str, wanted: tuple[str, ...] | list[str]) -> int:
    """The database is kept until the end: PgBouncer has connections to it, so that pytest could not drop it."""
    command = [sys.executable, "-m", "pytest", "-q", "--reuse-db", *wanted]
    try:
        return subprocess.run(
            command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, check=False, timeout=MOST_SECONDS
        ).returncode
    except subprocess.TimeoutExpired:
        print(f"FAILED: not done after {MOST_SECONDS} seconds.")
        return 1


def drop(url: str) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        name = sql.Identifier(f"test_{NAME}")
        connection.cursor().execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


if __name__ == "__main__":
    sys.exit(main())
