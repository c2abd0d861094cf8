"""How much memory a process takes that keeps all that it may: its shelf full, and 10,000 tokens remembered.

    python -m bench.shelf [--groups 10000] [--tokens 10000]

One process and its manager, on a temporary SQLite file, or on a database beside the PostgreSQL of DATABASE_URL. Each
group's activities and members are polled in turn, three times; then so many people poll, each by a token of their own.
Linux alone.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from bench.database import empty_database, manage
from bench.load import Connection
from bench.server import gunicorn
from bench.storm.server import children

CLIENTS = 4
FILL = """
from bench.fill_shelf import fill
fill({groups}, {tokens})
"""
MOST = 220 + 64
"""MiB: of both without anything kept, and of what is kept."""


def mebibytes(pids: Iterable[int]) -> float:
    """What these processes have for themselves and their part of what they share (PSS).
    https://docs.kernel.org/filesystems/proc.html"""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def poll(port: int, asks: list[tuple[str, str]]) -> None:
    """Each path by its token, over a few connections. Raises AssertionError for any answer but 200."""

    def work(part: list[tuple[str, str]]) -> None:
        with closing(Connection(port)) as connection:
            for path, token in part:
                status, _ = connection.get(path, {"Authorization": f"Bearer {token}"})
                assert status == 200, f"GET {path}: {status}"

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(work, [asks[start::CLIENTS] for start in range(CLIENTS)]))


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: the server is stopped, the database dropped
    parser = argparse.ArgumentParser(prog="python -m bench.shelf", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--groups", type=int, default=10_000)
    parser.add_argument("--tokens", type=int, default=10_000)
    given = parser.parse_args()
    with empty_database("_shelf") as url:
        environment = {**os.environ, "DATABASE_URL": url, "DB_ENV": "development", "SIGN_IN": "on"}
        manage(environment, "migrate", "--noinput", "--verbosity", "0")
        tokens = json.loads(
            manage(environment, "shell", "--no-imports", "-c", FILL.format(groups=given.groups, tokens=given.tokens))
        )
        flags = ["--workers", "1", "--max-requests", "0"]
        with gunicorn("voicechat.wsgi", flags, environment, "/healthz") as server:
            pids = [server.process.pid, *children(server.process.pid)]
            return run(server.port, pids, given.groups, tokens)


def run(port: int, pids: list[int], groups: int, tokens: list[str]) -> int:
    staff, says = tokens[0], shows(pids)
    lists = [
        f"/api/groups/{number}/{name}" for number in range(1, groups + 1) for name in ("activities", "groupMembers")
    ]
    poll(port, [(path, staff) for path in lists[:100]])
    says("100 polls")
    for time in range(1, 4):
        poll(port, [(path, staff) for path in lists])
        says(f"{len(lists):,} lists, the {time}. time")
    for time in range(1, 3):
        poll(port, [(f"/api/users/{number}", token) for number, token in enumerate(tokens, 1)])
        says(f"{len(tokens):,} people, the {time}. time")
    return int(mebibytes(pids) > MOST)


def shows(pids: list[int]) -> Callable[[str], None]:
    def says(what: str) -> None:
        manager, worker = (mebibytes([pid]) for pid in pids)
        print(f"{what:<32}{manager:>8.0f} + {worker:>4.0f} = {manager + worker:>4.0f} MiB", flush=True)

    return says


if __name__ == "__main__":
    sys.exit(main())
