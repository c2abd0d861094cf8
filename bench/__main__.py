"""How fast the polled reads are, against a bare view behind the same middleware in the same workers.

    python -m bench [--workers 2] [--threads 4] [--worker-class gthread] [--seconds 8]
    python -m bench --compare

Quote the ratio, not the requests per second: it holds from one machine to the next, and beside other work.
"""

import argparse
import multiprocessing
import signal
import sys
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace

from bench.database import temporary_database
from bench.load import CONNECTIONS, Result, Route, WrongAnswerError, load
from bench.server import Setting, serve

ROUNDS = 4
MOST_REQUESTS = 12_000
COMPARED = (Setting("sync", 2, 1), Setting("gthread", 2, 4), Setting("gthread", 2, 8))


def routes(person: int, group: int, token: str = "") -> list[Route]:
    """The first is what the others are compared with."""
    participants = f"/api/groups/{group}/callParticipants"
    measured = [
        Route("bare view", "/bench/bare"),
        Route("callStatus", f"/api/groups/{group}/callStatus"),
        Route("callParticipants", participants),
        Route("callParticipants, 304", participants, unchanged=True),
        Route("activities", f"/api/groups/{group}/activities"),
        Route("users/:id", f"/api/users/{person}"),
        Route("detailed", f"/api/users/{person}/detailed"),
        Route("a vendor's 200 ms", "/bench/wait"),
        Route("callStatus beside those", f"/api/groups/{group}/callStatus", beside="/bench/wait"),
    ]
    return [replace(route, token=token) for route in measured]


def measure(port: int, measured: list[Route], seconds: float, process: Executor) -> list[Result]:
    """Goes over the routes several times, so that other work on the machine falls on all of them alike."""
    parts: list[list[Result]] = [[] for _ in measured]
    for _ in range(ROUNDS):
        for route, results in zip(measured, parts, strict=True):
            results.append(process.submit(load, port, route, seconds / ROUNDS, MOST_REQUESTS // ROUNDS).result())
    return [Result(sum(one.seconds for one in part), [time for one in part for time in one.times]) for part in parts]


def table(setting: Setting, measured: list[Route], results: list[Result]) -> None:
    print(f"\n{setting}; {CONNECTIONS} connections\n")
    print(f"{'route':<24}{'requests/s':>12}{'p50 ms':>10}{'p99 ms':>10}{'to bare':>10}")
    bare = results[0].rate
    for route, result in zip(measured, results, strict=True):
        p50, p99 = 1000 * result.percentile(50), 1000 * result.percentile(99)
        print(f"{route.name:<24}{result.rate:>12.0f}{p50:>10.2f}{p99:>10.2f}{result.rate / bare:>10.2f}", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--worker-class", choices=("sync", "gthread"))
    parser.add_argument("--workers", type=int)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--seconds", type=float, default=8.0, help="at most this long for each route")
    parser.add_argument("--sign-in", action="store_true", help="every request comes with its person's token")
    parser.add_argument("--compare", action="store_true", help="several settings, one after the other")
    given = parser.parse_args()
    if given.worker_class == "sync":  # with more threads than one gunicorn takes gthread instead, and does not say so
        if given.threads not in (None, 1):
            parser.error("sync workers have one thread")
        given.threads = 1
    return given


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: the server is stopped, the database dropped
    given = arguments()
    settings = COMPARED if given.compare else (Setting(given.worker_class, given.workers, given.threads),)
    print("Filling a database with 2,000 people, 600 groups and 18,000 activities ...", flush=True)
    with (
        temporary_database(sign_in=given.sign_in) as (environment, ids),
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as second_process,
    ):
        measured = routes(**ids)
        for setting in settings:
            with serve(setting, environment) as port:
                table(setting, measured, measure(port, measured, given.seconds, second_process))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except WrongAnswerError as fault:
        sys.exit(str(fault))
