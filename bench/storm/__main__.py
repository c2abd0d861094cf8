"""Proves that the call list is true, whatever order Twilio tells in and whatever breaks meanwhile.

    python -m bench.storm [--seeds 3] [--conferences 200] [--events 10000] [--repeat 3] [--lose 0.05] [--kills 8]

Real signed webhooks, several times each and in disorder, some never, by many senders at once against gunicorn and
PostgreSQL, while workers are killed. What is stored must then be what telling everything once and in order would give:
at once for what was delivered, and for the whole truth after `reconcile_calls`. Exits with 1 where it is not.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg2  # type: ignore[import-untyped]  # it carries no types

from bench.database import manage, postgresql_beside
from bench.storm.run import Outcome, Plan, run
from bench.storm.server import environment

DEFAULT_DATABASE = "postgres://postgres@127.0.0.1:5432/test"
PACE, PACED_EVENTS, PACED_CONFERENCES, GOAL = 100.0, 500, 10, 500


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.storm", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3, help="so many storms, with the seeds 1, 2, ... (%(default)s)")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--conferences", type=int, default=200)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=3, help="deliveries of each event, on average (%(default)s)")
    parser.add_argument("--lose", type=float, default=0.05, help="part of the events that never arrives (%(default)s)")
    parser.add_argument("--senders", type=int, default=16)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--kills", type=int, default=8, help="workers that are killed in each storm (%(default)s)")
    parser.add_argument("--rate", type=float, default=0.0, help="deliveries a second; 0 is as fast as it goes")
    parser.add_argument("--control", action=argparse.BooleanOptionalAction, default=True, help="also once, in order")
    given = parser.parse_args()
    if given.events < 14 * given.conferences:
        parser.error("a conference needs at least 14 events")
    return given


def plans(given: argparse.Namespace) -> Iterator[tuple[str, Plan]]:
    """The storms, the control of the first, and a calm phase that measures answer times at a steady pace."""
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    common = {name: getattr(given, name) for name in ("conferences", "events", "senders", "workers")}
    broken = {name: getattr(given, name) for name in ("repeat", "lose", "rate", "kills")}
    for seed in seeds:
        yield f"seed {seed}", Plan(seed=seed, **common, **broken)
    if given.control:
        yield f"seed {seeds[0]} once, in order, nothing lost", Plan(seed=seeds[0], **common, disorderly=False)
    paced = {**common, "conferences": PACED_CONFERENCES, "events": PACED_EVENTS}
    calm = Plan(seed=given.first_seed + given.seeds, **paced, rate=PACE)
    yield f"calm, {PACE:.0f} a second (the goal for p99 is {GOAL} ms)", calm


@contextmanager
def prepared_database(server_url: str, groups: int) -> Iterator[str]:
    """The name of a migrated database with the people and groups of all storms."""
    with postgresql_beside(server_url, "_storm") as url:
        variables = environment(url, "")
        manage(variables, "migrate", "--noinput", "--verbosity", "0")
        manage(variables, "shell", "--no-imports", "-c", f"from bench.storm.fill import fill; fill({groups})")
        yield urlsplit(url).path.strip("/")


def report(name: str, outcome: Outcome) -> None:
    figures, number = outcome.figures, len(outcome.figures.answers)
    answers = ", ".join(f"{count:,} x {status}" for status, count in sorted(figures.statuses().items()))
    print(f"{name}: {number:,} deliveries in {figures.seconds:.1f} s ({number / figures.seconds:.0f} a second)")
    print(f"  answers {answers or 'none'}; 5xx {figures.failures()}; {figures.accepted():,} accepted")
    print(f"  {outcome.kills} workers killed, {len(figures.repeats)} deliveries repeated", end="")
    announced = [f"{count} {state or 'nobody on'}" for state, count in sorted(outcome.announced.items())]
    print(f"; announcements: {', '.join(announced) or 'none'}")
    print(f"  p50 {figures.milliseconds(50):.0f} ms, p99 {figures.milliseconds(99):.0f} ms")
    print(f"  differences from the truth: {len(outcome.differences)}", flush=True)


def storm(given: argparse.Namespace, url: str) -> int:
    """How many storms were lost."""
    lost, begin = 0, time.monotonic()
    with prepared_database(url, (max(given.conferences, PACED_CONFERENCES) + 1) // 2) as prepared:
        for name, plan in plans(given):
            outcome = run(plan, url, prepared)
            report(name, outcome)
            faults = outcome.faults()
            if faults:
                lost += 1
                print("  LOST:", *faults, "The server's last words:", outcome.log[-3000:], sep="\n    ")
    print(f"{time.monotonic() - begin:.0f} s in all; {lost} lost")
    return lost


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: the server is stopped, the databases dropped
    given, url = arguments(), os.environ.get("DATABASE_URL") or DEFAULT_DATABASE
    if not url.startswith("postgres"):
        sys.exit("The storm needs PostgreSQL, as production does: set DATABASE_URL.")
    try:
        psycopg2.connect(url).close()
    except psycopg2.OperationalError as error:
        sys.exit(f"There is no PostgreSQL at DATABASE_URL (default {DEFAULT_DATABASE}): {error}")
    return 1 if storm(given, url) else 0


if __name__ == "__main__":
    sys.exit(main())
