"""How fast polls are beside another checkout of this project, such as an older commit, in one run.

    python -m bench.beside ../older [--seconds 2] [--rounds 5]

One process of each serves a database of its own with the same rows, and asks who calls. They are asked in turn, so that
other work on the machine falls on both alike: quote the ratios. What the processor did for a request (of the server and
of PostgreSQL, in microseconds) is read from /proc, on Linux alone.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from bench.__main__ import routes
from bench.database import ROOT, manage, temporary_database
from bench.load import Route, ask_before, load
from bench.server import gunicorn

TICKS = os.sysconf("SC_CLK_TCK")
MOST = 1_000_000
COMPARED = ("callStatus", "callParticipants", "callParticipants, 304", "activities", "users/:id", "detailed")
STAFF = "person1@example.com"
TO_STAFF = f"from users.models import User; User.objects.filter(email='{STAFF}').update(is_staff=True)"
MANY = (64, 256)
"""Connections."""
PEOPLE, GROUPS = 2_000, 600
"""Of `bench/fill.py`."""
FIRST = 300
"""So many people are polled for the first time in each run."""


@dataclass
class Side:
    port: int
    process: int
    routes: list[Route]
    database: str

    def microseconds(self) -> float:
        """What the processor has done for it so far."""
        return 1e6 * sum(ticks(int(pid)) for pid in [*pgrep("-P", str(self.process)), *self.backends()]) / TICKS

    def backends(self) -> list[str]:
        if not self.database:
            return []
        found = subprocess.run(
            ["pgrep", "-f", f"postgres: .* {self.database} "], capture_output=True, text=True, check=False
        )
        return found.stdout.split()


def pgrep(*words: str) -> list[str]:
    return subprocess.run(["pgrep", *words], capture_output=True, text=True, check=False).stdout.split()


def ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def side(stack: ExitStack, root: Path, suffix: str) -> Side:
    environment, ids = stack.enter_context(temporary_database(sign_in=True, root=root, suffix=suffix))
    flags = ["--workers", "1", "--threads", "4", "--max-requests", "0"]
    server = stack.enter_context(gunicorn("voicechat.wsgi", flags, environment, "/healthz", root))
    url = environment["DATABASE_URL"]
    database = url.rpartition("/")[2] if url.startswith("postgres") else ""
    measured = [route for route in routes(**ids) if route.name in COMPARED]
    manage(environment, "shell", "--no-imports", "-c", TO_STAFF, root=root)
    measured += more_routes(measured[0], ids, manage(environment, "issue_token", STAFF, root=root).strip())
    return Side(server.port, server.process.pid, measured, database)


def more_routes(call_status: Route, ids: dict[str, Any], token: str) -> list[Route]:
    """Many connections; what is kept of many groups; and what nobody has asked for before. The last as staff do."""
    groups = [f"/api/groups/{ids['group'] + number}/callStatus" for number in range(GROUPS)]
    people = [f"/api/users/{ids['person'] + number}" for number in range(2, PEOPLE)]
    for paths in (groups, people):
        random.Random(1).shuffle(paths)
    return [
        *(replace(call_status, name=f"callStatus, {many} conn.", connections=many) for many in MANY),
        replace(call_status, name=f"callStatus of {GROUPS}", token=token, paths=tuple(groups)),
        replace(call_status, name="users/:id, first polls", token=token, paths=tuple(people), are_first=True),
    ]


def in_round(route: Route, number: int) -> Route:
    """Of first polls, those that no round before had."""
    return replace(route, paths=route.paths[number * FIRST : (number + 1) * FIRST]) if route.are_first else route


def once(one: Side, route: Route, seconds: float, process: Executor) -> tuple[float, ...]:
    """Requests a second, microseconds a request, and in milliseconds how long half of them took at most, and 99 %."""
    if not route.are_first:
        process.submit(ask_before, one.port, route).result()
    before = one.microseconds()
    result = process.submit(load, one.port, route, seconds, MOST).result()
    spent = (one.microseconds() - before) / len(result.times)
    return result.rate, spent, 1000 * result.percentile(50), 1000 * result.percentile(99)


def compare(sides: list[Side], seconds: float, rounds: int, process: Executor) -> None:
    heads = ("requests/s", "us of CPU", "p50 ms", "p99 ms")
    print(f"{'route':<24}{''.join(f'{head:>17}' for head in heads)}{'rate':>8}{'CPU':>7}{'p99':>7}")
    for number, route in enumerate(sides[0].routes):
        pairs = [
            [once(each, in_round(each.routes[number], nth), seconds, process) for each in sides]
            for nth in range(rounds)
        ]
        columns = [[median(pair[of][what] for pair in pairs) for of in (0, 1)] for what in range(len(heads))]
        ratios = [median(here[what] / there[what] for here, there in pairs) for what in (0, 1, 3)]
        digits = (0, 0, 1, 1)
        shown = "".join(
            f"{f'{here:.{of}f} | {there:.{of}f}':>17}" for (here, there), of in zip(columns, digits, strict=True)
        )
        print(f"{route.name:<24}{shown}{ratios[0]:>8.2f}{ratios[1]:>7.2f}{ratios[2]:>7.2f}", flush=True)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: the servers are stopped, the databases dropped
    parser = argparse.ArgumentParser(prog="python -m bench.beside", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("other", type=Path, help="the folder of the other checkout")
    parser.add_argument("--seconds", type=float, default=2.0, help="each time, of each route")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with ExitStack() as stack, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        sides = [side(stack, ROOT, "_here"), side(stack, given.other.resolve(), "_there")]
        print(f"here | {given.other.name}; medians, and of the ratios of each pair of runs\n")
        compare(sides, given.seconds, given.rounds, process)
    return 0


if __name__ == "__main__":
    sys.exit(main())
