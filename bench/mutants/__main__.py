"""Do the tests notice a fault? Plants small ones into the modules that hold rules, one at a time, and runs the tests.

    python -m bench.mutants [billing/refunds.py users/sign_in …] [--sample 40 --seed 7]

Where modules are named, the nearest tests come first, and only of what survives them the others. SQLite first. What
survives is tried on PostgreSQL too, where POSTGRESQL_URL (or DATABASE_URL) names one; the races run there only. What is
known of a fault is kept in .mutants/ and not asked again, until the module or the tests change.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import sys
import time

import psycopg2

from bench.database import ROOT
from bench.mutants import equivalent, paper
from bench.mutants.copies import CannotStartError
from bench.mutants.mapping import Mapping
from bench.mutants.modules import chosen, file_of
from bench.mutants.nearest import Map
from bench.mutants.operators import RULES, Mutant, mutants
from bench.mutants.results import BOTH, ONE, Result, Results
from bench.mutants.rounds import rounds
from bench.mutants.run import Run

FOLDER = ROOT / ".mutants"
PAPER = ROOT / "docs" / "mutants.md"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.mutants", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="*", help="files, folders or patterns; else all that hold rules")
    parser.add_argument("--sample", type=int, default=0, help="so many of the faults, chosen by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--budget", type=float, default=120, help="seconds of tests for each fault; 0 for all")
    parser.add_argument("--nearest", action="store_true", help="asks no tests but the nearest of the modules named")
    parser.add_argument("--rules", action="store_true", help="guards, bounds and conditions alone, a fourth of all")
    parser.add_argument("--only-sqlite", action="store_true")
    parser.add_argument("--renew", action="store_true", help="notes anew which test executes which line")
    return parser.parse_args()


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: processes are stopped, databases dropped
    given, postgresql = arguments(), postgresql_url()
    paths = chosen(given.files)
    every = [mutant for path in paths for mutant in mutants(path, (ROOT / path).read_text())]
    entries = equivalent.read()
    if gone := equivalent.stale(entries, every, paths):
        for entry in gone:
            print(f"equivalent.toml is about nothing any more: {entry.file} {entry.function}: {entry.change}")
        return 1
    if given.rules:
        every = [mutant for mutant in every if mutant.operator in RULES]
    wanted = [mutant for mutant in every if not equivalent.is_listed(entries, mutant)]
    excused = {path: sum(mutant.path == path for mutant in every) for path in paths}
    for mutant in wanted:
        excused[mutant.path] -= 1
    if given.sample:
        wanted = random.Random(given.seed).sample(wanted, min(given.sample, len(wanted)))
    FOLDER.mkdir(exist_ok=True)
    postgresql = "" if given.only_sqlite else reachable(postgresql)
    mapping = Mapping(FOLDER, postgresql, given.workers)
    if given.renew:
        mapping.renew()
    results = in_rounds(mapping, wanted, paths if given.files else [], given)
    report(results, excused)
    if not given.sample:
        paper.write(
            PAPER, {path: row(path, results, excused[path], given) for path in paths if excused[path] or results}
        )
    return int(any(not each.is_killed for each in results))


def row(path: str, results: list[Result], excused: int, given: argparse.Namespace) -> str:
    found = [each for each in results if each.file == path]
    return paper.row(path, found, excused, paper.today(), rules=given.rules, nearest=given.nearest)


def reachable(url: str) -> str:
    """The same; before hours of work, and not after it. Raises CannotStartError."""
    if url:
        try:
            psycopg2.connect(url, connect_timeout=5).close()
        except psycopg2.OperationalError as error:
            raise CannotStartError(f"POSTGRESQL_URL names no database that lets one in: {error}") from error
    return url


def postgresql_url() -> str:
    given = os.environ.get("POSTGRESQL_URL") or os.environ.get("DATABASE_URL", "")
    return given if given.startswith("postgres") else ""


def in_rounds(mapping: Mapping, wanted: list[Mutant], paths: list[str], given: argparse.Namespace) -> list[Result]:
    """One round of all tests where their lines are known, or where no module was named."""
    now, results = mapping.tests(), Results(FOLDER / "results.jsonl")
    sets = rounds(paths, now) if paths and mapping.stale() else [set(now)]
    sets = sets[:1] if given.nearest else sets
    prints = [fingerprint({name: now[name] for name in files}) for files in sets]
    for number, files in enumerate(sets):
        before = sets[number - 1] if number else set()
        open_ = [
            each for each in wanted if not results.settled(each, prints[number:], mapping.last, whole=not given.budget)
        ]
        if not open_:
            continue
        if len(sets) > 1:
            print(
                f"Round {number + 1} of {len(sets)}: {len(open_)} faults, {len(files - before)} test files.", flush=True
            )
        mapping.bring_up_to_date(files)
        earlier = prints[number - 1] if number else ""
        run = Run(Map(FOLDER), results, files - before, prints[number], earlier, given.budget)
        leave_out_failing(run)
        go(run, open_, given.workers, mapping.postgresql, prints[number:])
    return [results.known[mutant.key] for mutant in wanted]


def leave_out_failing(run: Run) -> None:
    """Raises CannotStartError where most tests fail: then it is no fault of theirs, and survivors would say nothing."""
    passing, failing = (
        [name for name in names if file_of(name) in run.files] for names in (run.map.seconds, run.map.failing)
    )
    if len(failing) > len(passing):
        raise CannotStartError(
            f"{len(failing)} tests fail without a fault, and {len(passing)} pass: {', '.join(failing[:5])}. "
            "Mend that, and note the lines anew: RENEW=1"
        )
    if failing:
        print(f"{len(failing)} tests fail without a fault, and are left out: {', '.join(failing[:5])}")


def fingerprint(tests: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(tests, sort_keys=True).encode()).hexdigest()[:16]


def go(run: Run, wanted: list[Mutant], workers: int, postgresql: str, prints: list[str]) -> None:
    for database, url in ((ONE, ""), (BOTH, postgresql)):
        if database == BOTH and not url:
            continue
        open_ = [each for each in wanted if not run.results.settled(each, prints, database, whole=not run.budget)]
        print(f"{database}: {len(open_)} of {len(wanted)} faults to try.", flush=True)
        if open_:
            counter = Counter(len(open_))
            run.over(open_, workers, url, counter.tell)
            counter.end()


class Counter:
    def __init__(self, number: int) -> None:
        self.number, self.done, self.survived, self.began = number, 0, 0, time.monotonic()

    def tell(self, result: Result) -> None:
        self.done += 1
        if not result.is_killed:
            self.survived += 1
            print(f"{self.done}/{self.number} SURVIVED {result}", flush=True)
        elif self.done % 25 == 0:
            print(f"{self.done}/{self.number}, {self.survived} survived", flush=True)

    def end(self) -> None:
        minutes = (time.monotonic() - self.began) / 60
        print(f"{self.done} in {minutes:.1f} minutes: {self.done / minutes:.0f} a minute", flush=True)


def report(results: list[Result], excused: dict[str, int]) -> None:
    killed = [each for each in results if each.is_killed]
    late = sum(each.status == "timeout" for each in killed)
    print(f"\n{len(results) + sum(excused.values())} faults: {len(killed)} killed ({late} by time), ", end="")
    print(f"{sum(excused.values())} equivalent, {len(results) - len(killed)} survived\n")
    killers: dict[str, int] = {}
    for each in killed:
        name = each.by.partition("[")[0]
        killers[name] = killers.get(name, 0) + 1
    print("By which tests, most first:")
    for name, number in sorted(killers.items(), key=lambda pair: -pair[1])[:15]:
        print(f"{number:>6}  {name}")
    print("\nSurvivors:")
    for each in sorted(
        (each for each in results if not each.is_killed), key=lambda each: (each.file, each.line_number)
    ):
        print(f"  {each}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (equivalent.ListError, FileNotFoundError, CannotStartError) as fault:
        sys.exit(str(fault))
