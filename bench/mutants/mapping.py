"""Keeps the map of which test executes which line: each test file once, and then where it has changed."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.database import ROOT
from bench.mutants.copies import CannotStartError
from bench.mutants.modules import APPS
from bench.mutants.nearest import fingerprint, moved
from bench.mutants.results import BOTH, ONE

OWN = "tests/house/test_mutants"
"""The tool's own tests, which run no product code."""

AT_ONCE = 15
"""Test files that one pytest notes: what it has begun is lost where it is ended."""
RAN = (0, 1, 5)
"""Pytest's answers where it got as far as to run tests: all pass, some fail, and there is none."""


def room(name: str) -> tuple[bool, str]:
    """The folder under `tests`; those last that test no app by itself."""
    folder = name.split("/")[1]
    return folder not in APPS, folder


def parts(names: Iterable[str]) -> Iterator[list[str]]:
    for _, together in groupby(sorted(names, key=room), key=room):
        of_folder = list(together)
        yield from (of_folder[begin : begin + AT_ONCE] for begin in range(0, len(of_folder), AT_ONCE))


class Mapping:
    def __init__(self, folder: Path, postgresql: str, workers: int = 2) -> None:
        self.folder, self.postgresql, self.workers = folder, postgresql, workers

    @property
    def last(self) -> str:
        """On which databases a fault was tried that nobody tries again."""
        return BOTH if self.postgresql else ONE

    def stale(self) -> set[str]:
        now, known = self.tests(), self.known()
        return {name for name in now if known.get(name) != now[name]}

    def bring_up_to_date(self, wanted: Iterable[str] | None = None) -> None:
        """Notes what is new of the wanted test files, or of all.

        A product file that changes keeps its old lines in the map, by its old text, until `renew`.
        """
        now, known = self.tests(), self.known()
        asked = set(now if wanted is None else wanted)
        if not (self.folder / "sources").exists():
            for app in APPS:
                shutil.copytree(ROOT / app, self.folder / "sources" / app, ignore=shutil.ignore_patterns("__pycache__"))
        stale = sorted(self.stale() & asked)
        for gone in set(known) - set(now) | set(stale):
            for folder in ("reach", "reach_postgresql"):
                for file in self.noted(folder, gone):
                    file.unlink()
        self.note_rooms(stale, now, known)
        if self.postgresql:
            new = [name for name in sorted(asked) if not self.noted("reach_postgresql", name)]
            self.note_races(new)

    def note_races(self, names: list[str]) -> None:
        if skipped := self.skipped(names):
            print(f"And {len(skipped)} tests on PostgreSQL ...", flush=True)
            self.note(skipped, "reach_postgresql", self.postgresql)

    def noted(self, folder: str, name: str) -> list[Path]:
        return list((self.folder / folder).glob(f"{name.replace('/', '.')}.*.json"))

    def note_rooms(self, stale: list[str], now: dict[str, str], known: dict[str, str]) -> None:
        """A part of a folder at once: what was noted before the run is ended need not be noted again."""
        if not stale:
            return
        print(f"Noting which lines {len(stale)} test files execute (slower than the tests alone) ...", flush=True)
        for noted in parts(stale):
            self.note(noted, "reach", "")
            known = {name: text for name, text in known.items() if name in now} | {name: now[name] for name in noted}
            (self.folder / "tests.json").write_text(json.dumps(known))

    def renew(self) -> None:
        for name in ("reach", "reach_postgresql", "sources"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / "tests.json").unlink(missing_ok=True)

    def tests(self) -> dict[str, str]:
        files = (ROOT / "tests").rglob("test_*.py")
        named = {str(file.relative_to(ROOT)): file for file in sorted(files)}
        return {name: fingerprint(file) for name, file in named.items() if not name.startswith(OWN)}

    def known(self) -> dict[str, str]:
        file = self.folder / "tests.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def skipped(self, files: Iterable[str]) -> list[str]:
        found = []
        for name in files:
            for noted in self.noted("reach", name):
                tests = json.loads(noted.read_text())
                found += [test for test, said in tests.items() if said.get("outcome") == "skipped"]
        return sorted(found)

    def note(self, names: Iterable[str], folder: str, url: str) -> None:
        environment = {**os.environ, "REACH": str(self.folder / folder)}
        environment["DATABASE_URL"] = f"{url}_mutants_map" if url else "sqlite:///unused.sqlite3"
        listed = self.folder / "names.txt"
        listed.write_text("\n".join(names))
        plugin = ["-p", "bench.mutants.reach", "-p", "no:randomly", "-p", "no:cacheprovider"]
        processes = ["-n", str(self.workers if self.workers > 1 else 0)]
        command = [sys.executable, "-m", "pytest", "-q", *plugin, "--hypothesis-seed=0", *processes, f"@{listed}"]
        report, before = self.folder / f"{folder}.log", self.notes(folder)
        with report.open("w") as log:
            ended = subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=log, check=False)
        if ended.returncode not in RAN:
            raise CannotStartError(f"The tests did not run, as {report} says:\n{report.read_text()[-2000:]}")
        for file in self.notes(folder) - before:
            file.write_text(json.dumps(self.as_it_was(json.loads(file.read_text()))))

    def notes(self, folder: str) -> set[Path]:
        return set((self.folder / folder).glob("*.json"))

    def as_it_was(self, noted: dict[str, Any]) -> dict[str, Any]:
        """By the lines of the text that the map was begun with: a product file may have changed since."""
        for test in noted.values():
            for path, lines in test.get("lines", {}).items():
                places = moved(self.folder / "sources" / path, ROOT / path)
                test["lines"][path] = sorted(set().union(*(places.get(line, set()) for line in lines)))
        return noted
