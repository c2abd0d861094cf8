"""A database for the bench alone: a temporary SQLite file, or a new one beside the PostgreSQL of DATABASE_URL."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2  # type: ignore[import-untyped]  # it carries no types
from psycopg2 import sql

EMAIL = "person0@example.com"
"""The person's of `bench/fill.py`."""
ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def temporary_database(
    *, sign_in: bool = False, root: Path = ROOT, suffix: str = "_bench"
) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """Gives the environment to serve it with, and the ids of the person and the group. Gone at the end.

    With `sign_in` also the person's token, which the server then asks for. `root` is the checkout that fills it.
    """
    with empty_database(suffix) as url:
        environment = {**os.environ, "DATABASE_URL": url, "DB_ENV": "development"}
        environment["SIGN_IN"] = "on" if sign_in else "off"
        manage(environment, "migrate", "--noinput", "--verbosity", "0", root=root)
        ids = manage(environment, "shell", "--no-imports", "-c", "from bench.fill import fill; fill()", root=root)
        token = manage(environment, "issue_token", EMAIL, root=root).strip() if sign_in else ""
        yield environment, {**json.loads(ids), "token": token}


def empty_database(suffix: str = "_bench") -> AbstractContextManager[str]:
    """The address of one: a temporary SQLite file, or a new one beside the PostgreSQL of DATABASE_URL."""
    given = os.environ.get("DATABASE_URL", "")
    return postgresql_beside(given, suffix) if given.startswith("postgres") else temporary_file()


@contextmanager
def temporary_file() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        yield f"sqlite:///{folder}/bench.sqlite3"


@contextmanager
def postgresql_beside(url: str, suffix: str = "_bench", like: str = "template1") -> Iterator[str]:
    """A copy of `like`, named as the given one with `suffix` after it. What an interrupted run left is replaced."""
    parts = urlsplit(url)
    name = f"{parts.path.strip('/')}{suffix}"
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(drop)
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        cursor.execute(create.format(sql.Identifier(name), sql.Identifier(like)))
        try:
            yield urlunsplit(parts._replace(path=f"/{name}"))
        finally:
            cursor.execute(drop)


def manage(environment: dict[str, str], *arguments: str, root: Path = ROOT) -> str:
    """What a management command printed. Raises CalledProcessError when it fails; its errors are shown as they come."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=root, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def stream(environment: dict[str, str], *arguments: str) -> Iterator[str]:
    """The same, line by line as it comes."""
    command = [sys.executable, "-u", "manage.py", *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        yield from (line.rstrip("\n") for line in process.stdout or ())
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


def shown(environment: dict[str, str], code: str) -> list[str]:
    """What this code prints in the project's shell: on the screen as it comes, and as a whole."""
    lines = []
    for line in stream(environment, "shell", "--no-imports", "-c", code):
        print(line, flush=True)
        lines.append(line)
    return lines
