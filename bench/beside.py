"""How fast polls are beside another checkout of this project, such as an older commit, in one run.

    python -m bench.beside ../older [--seconds 2] [--rounds 5]

One process of each serves a database of its own with the same rows, and asks who calls. They are asked in turn, so that
other work on the machine falls on both alike: quote the ratios. What the processor did for a request (of the server and
of PostgreSQL, in microseconds) is read from /proc, on Linux alone.
"""

import argparse
import os
import signal
import subprocess
import sys
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from bench.__main__ import routes
from bench.database import ROOT, temporary_database
from bench.load import Route, load
from bench.server import gunicorn

TICKS = os.sysconf("SC_CLK_TCK")
MOST = 1_000_000
COMPARED = ("callStatus", "callParticipants", "callParticipants, 304", "activities", "users/:id", "detailed")


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
    return Side(server.port, server.process.pid, measured, database)


def once(one: Side, route: Route, seconds: float, process: Executor) -> tuple[float, float, float]:
    """Requests a second, microseconds a request, and the 99th percentile in milliseconds."""
    before = one.microseconds()
    result = process.submit(load, one.port, route, seconds, MOST).result()
    spent = (one.microseconds() - before) / len(result.times)
    return result.rate, spent, 1000 * result.percentile(99)


def compare(sides: list[Side], seconds: float, rounds: int, process: Executor) -> None:
    print(f"{'route':<24}{'requests/s':>18}{'us of CPU':>16}{'p99 ms':>16}{'rate':>8}{'CPU':>7}")
    for number, route in enumerate(sides[0].routes):
        pairs = [[once(each, each.routes[number], seconds, process) for each in sides] for _ in range(rounds)]
        columns = [[median(pair[of][what] for pair in pairs) for of in (0, 1)] for what in (0, 1, 2)]
        ratios = [median(here[what] / there[what] for here, there in pairs) for what in (0, 1)]
        shown = "".join(f"{f'{here:.0f} | {there:.0f}':>17}" for here, there in columns)
        print(f"{route.name:<24}{shown}{ratios[0]:>8.2f}{ratios[1]:>7.2f}", flush=True)


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
