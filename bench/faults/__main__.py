"""Is a poll ever answered wrongly, or lost, while PostgreSQL, the door's connection to it, or a worker fails?

    python -m bench.faults [--pooled] [--away 60] [--clients 8] [--rate 20] [--only words]

Clients poll a server with the door (one process) while a writer counts in the rows that are polled, so that it is known
what each answer may show: nothing older than what was written when it was asked for. Meanwhile one thing after the
other fails, on a PostgreSQL of this run's own; with `--pooled` behind a PgBouncer in transaction mode. After each, all
answers are compared with those of a server that keeps nothing. Exits with 1 where an answer was wrong, one was lost,
one took longer than it may, or 503 was said though PostgreSQL cut nobody off.
"""

import argparse
import json
import os
import signal
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlsplit

from bench.chaos.cluster import MissingError, temporary_cluster
from bench.chaos.run import at_work
from bench.database import manage
from bench.faults.facts import Writer, all_facts
from bench.faults.kinds import KINDS, House, Kind
from bench.faults.pollers import Outcome, Poller, between
from bench.pgbouncer import pooler
from bench.polls import FLAGS, SIGN_IN, STAFF, Asked, paths
from bench.server import gunicorn

CALM = 3.0
"""Seconds before each fault."""
BACK_SECONDS = 60.0
LONGEST = 15.0
"""Seconds that a poll may take at the worst: two of the door's, eight of Django's where PostgreSQL gives no answer, and
its turn among eight in four threads."""
HEADS = ("polls", "503", "again", "lost", "wrong", "longest s", "back after s")


@dataclass
class Figures:
    kind: Kind
    polls: int
    unavailable: int
    again: int
    lost: list[str]
    wrong: list[str]
    longest: float
    back: float
    """Seconds from the fault's end until the door gave a kept answer; from a worker's end, where that was the fault."""

    def line(self) -> str:
        columns = (self.polls, self.unavailable, self.again, len(self.lost), len(self.wrong))
        figures = "".join(f"{each:>8,}" for each in columns)
        return f"{self.kind.name:<40}{figures}{self.longest:>11.2f}{self.back:>14.2f}"

    def faults(self) -> list[str]:
        too_long = [f"a poll took {self.longest:.1f} s"] if self.longest > LONGEST else []
        for number, words, may in (
            (self.unavailable, "polls were answered by 503", self.kind.is_cut),
            (self.again, "polls had to be sent again", self.kind.sends_again),
        ):
            too_long += [f"{number} {words}"] if number and not may else []
        return [f"{self.kind.name}: {each}" for each in [*self.lost[:3], *self.wrong[:3], *too_long]]


class Door:
    """What the door's server says of itself."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token

    def kept(self) -> int | None:
        """Answers that its process has given from what it keeps; None where it says nothing."""
        try:
            status, _, body = Asked(self.port).ask("GET", "/readyz", self.token)
            return int(json.loads(body)["polls"]["kept"]) if status == 200 else None
        except (OSError, ValueError, LookupError):
            return None

    def is_back(self) -> float:
        """How many seconds it takes from now until it gives kept answers."""
        begun, before = time.monotonic(), None
        while time.monotonic() < begun + BACK_SECONDS:
            now = self.kept()
            if before is not None and now is not None and now > before:
                return time.monotonic() - begun
            before = now if before is None or (now is not None and now < before) else before
            time.sleep(0.02)
        return float("inf")


class Run:
    def __init__(self, given: argparse.Namespace, house: House, door: Door, bare: int, tokens: list[str]) -> None:
        self.given, self.house, self.door, self.bare, self.tokens = given, house, door, bare, tokens
        self.facts, self.kept = all_facts(), 0
        self.writer = Writer(house.cluster.url, self.facts)
        numbers = count(1)
        self.pollers = [Poller(door.port, self.facts, tokens, given.rate, next(numbers)) for _ in range(given.clients)]

    def go(self) -> list[str]:
        faults: list[str] = []
        self.writer.begin()
        kinds = [
            kind for kind in KINDS if self.given.only in kind.name and not (self.given.pooled and kind.only_direct)
        ]
        print(f"{'':<40}{''.join(f'{head:>8}' for head in HEADS[:5])}{HEADS[5]:>11}{HEADS[6]:>14}", flush=True)
        with at_work(self.writer.run, *(poller.run for poller in self.pollers)):
            for kind in kinds:
                figures = self.fail(kind)
                print(figures.line(), flush=True)
                with self.writer.pause:
                    faults += [*figures.faults(), *self.differences(kind)]
        polls = [poll for poller in self.pollers for poll in poller.polls]
        self.kept += self.door.kept() or 0
        print(f"\n{len(polls):,} polls, {self.kept:,} of them given from what was kept; {self.writer.writes:,} writes.")
        return faults + [poll.words for poll in polls if poll.outcome in (Outcome.LOST, Outcome.WRONG)]

    def fail(self, kind: Kind) -> Figures:
        self.door.is_back()
        time.sleep(CALM)
        if kind.sends_again:  # by a worker that is about to end
            self.kept += self.door.kept() or 0
        begun = time.monotonic()
        kind.work(self.house)
        back = self.door.is_back()
        polls = [*between(self.pollers, begun, time.monotonic())]
        told = {each: [poll.words for poll in polls if poll.outcome is each] for each in Outcome}
        return Figures(
            kind,
            len(polls),
            len(told[Outcome.UNAVAILABLE]),
            sum(poll.was_sent_again for poll in polls),
            told[Outcome.LOST],
            told[Outcome.WRONG],
            max((poll.seconds for poll in polls), default=0.0),
            back,
        )

    def differences(self, kind: Kind) -> list[str]:
        """Between the door's whole answers and Django's, while nobody writes."""
        door, bare = Asked(self.door.port), Asked(self.bare)
        found = []
        for path in paths():
            for token in self.tokens:
                one, other = door.ask("GET", path, token), bare.ask("GET", path, token)
                if one != other:
                    found.append(f"after {kind.name}, GET {path}:\n{one}\nand Django says\n{other}")
        return found


def run(given: argparse.Namespace, stack: ExitStack) -> list[str]:
    cluster = stack.enter_context(temporary_cluster())
    environment = {**os.environ, "DATABASE_URL": cluster.url, "DB_ENV": "development", "SIGN_IN": "on"}
    manage(environment, "migrate", "--noinput", "--verbosity", "0")
    manage(environment, "shell", "--no-imports", "-c", "from bench.fill import fill; fill()")
    tokens = json.loads(manage(environment, "shell", "--no-imports", "-c", SIGN_IN))
    if given.pooled:
        parts = urlsplit(cluster.url)
        environment["DATABASE_URL"] = stack.enter_context(pooler.pooler(parts, parts.path.strip("/")))
    door, bare = (
        stack.enter_context(gunicorn("voicechat.wsgi", [*FLAGS, *flags], environment, "/healthz"))
        for flags in ([], ["--worker-class", "gthread"])
    )
    house = House(cluster, door, given.away)
    return Run(given, house, Door(door.port, tokens[STAFF - 1]), bare.port, tokens).go()


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: servers and PostgreSQL are stopped
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pooled", action="store_true", help="with a PgBouncer in between")
    parser.add_argument(
        "--away", type=float, default=60.0, help="seconds for which PostgreSQL is stopped (%(default)s)"
    )
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rate", type=float, default=20.0, help="polls a second of each (%(default)s)")
    parser.add_argument("--only", default="", help="words of the faults' names")
    try:
        with ExitStack() as stack:
            faults = run(parser.parse_args(), stack)
    except (MissingError, pooler.MissingError) as error:
        sys.exit(str(error))
    if faults:
        print("\nFAILED:", *faults[:20], sep="\n  ")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
