"""Which tests may notice a fault, the nearest first."""

import difflib
import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable
from functools import cache, cached_property
from pathlib import Path
from statistics import median
from typing import Any

from bench.database import ROOT
from bench.mutants.copies import Usual
from bench.mutants.modules import APPS, AT_IMPORT, file_of
from bench.mutants.operators import Mutant
from bench.mutants.rounds import nearest

SLOW = 2.0
"""Seconds from which on a test comes after all others."""
FEW = 12
USUAL = 0.05
A_FILE, ITS_FILE = 3, 30
"""So many tests of one file come before those of the others."""
AROUND = 6
"""Lines before and after a fault, by which the tests are told apart that execute it."""
SELDOM = 20
"""So many tests come before all others: who executes what few others do around the fault is most likely about it."""
ABOUT = 3
"""The first so many of their files come next, ITS_FILE tests of each: who says where a bound is executes the same lines
as everybody, and stands beside who is held up by it."""
SHORT_NAME = 5
"""Letters of a function's name by which no file is found: `read` and `tell` stand in names of all kinds."""
IN_PROCESSES = "uploads/pictures/"
"""What runs in processes of its own, where nobody notes its lines: the nearest tests start them."""


class Map:
    """What `bench.mutants.reach` has noted, in the folder where it was noted, for the text as it was then."""

    def __init__(self, folder: Path) -> None:
        self.seconds: dict[str, float] = {}
        self.lines: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.at_import: dict[str, set[int]] = defaultdict(set)
        self.failing: list[str] = []
        """What fails without a fault, so that its failure would say nothing."""
        self.sources = folder / "sources"
        for file in sorted((folder / "reach").glob("*.json")):
            for name, test in json.loads(file.read_text()).items():
                self.take(name, test)
        on_sqlite = set(self.seconds)
        for file in sorted((folder / "reach_postgresql").glob("tests.*.json")):
            for name, test in json.loads(file.read_text()).items():
                self.take(name, test)
        self.races = set(self.seconds) - on_sqlite
        """What runs on PostgreSQL only."""

    def take(self, name: str, test: dict[str, Any]) -> None:
        for path, found in test.get("lines", {}).items():
            if name == AT_IMPORT:
                self.at_import[path].update(found)
            elif test.get("outcome") == "passed":
                for line in found:
                    self.lines[path][line].add(name)
        if test.get("outcome") == "failed":
            self.failing.append(name)
        if test.get("outcome") == "passed" and name != AT_IMPORT:
            self.seconds[name] = test["seconds"]

    def then(self, path: str, lines: Iterable[int]) -> set[int]:
        """The lines that were where these are. A new line stands for those around it."""
        places = moved(self.sources / path, ROOT / path)
        return set().union(*(places.get(line, set()) for line in lines))

    def executing(self, path: str, lines: Iterable[int]) -> set[str]:
        known = self.lines.get(path, {})
        return set().union(*(known.get(line, set()) for line in self.then(path, lines)))

    def runs_at_import(self, mutant: Mutant) -> bool:
        lines = range(mutant.first_line, mutant.last_line + 1)
        return bool(self.then(mutant.path, lines) & self.at_import.get(mutant.path, set()))

    def tests_for(self, mutant: Mutant, files: Container[str] | None = None) -> Usual:
        """Those that execute the very lines; where only an import does, those that use what stands there. Of these test
        files, or of all."""
        found = within(files, self.reaching(mutant))
        nearest = self.seldom_first(mutant, self.in_order(mutant, found))
        if len(found) < FEW:  # what is made once for all (a prepared query, a cache) is noted of the first test alone
            every = within(files, self.executing(mutant.path, range(1, len(mutant.text.splitlines()) + 1)))
            nearest += self.in_order(mutant, every - found)
        return nearest

    def seldom_first(self, mutant: Mutant, tests: Usual) -> Usual:
        """A guard is passed by all who come by, and said by the few whom it holds up: they execute what it guards.
        Before them a file that is called as the function is: what everybody executes nobody executes seldom."""
        weights: dict[str, float] = defaultdict(float)
        for path, line in self.around(mutant):
            of_line = self.executing(path, [line])
            for name in of_line:
                weights[name] += 1 / len(of_line)
        quick = [each for each in tests if not self.is_slow(each[0])]
        first = sorted(quick, key=lambda each: -weights[each[0]])[:SELDOM]
        files = list(dict.fromkeys(file_of(name) for name, _ in first))[:ABOUT]
        mates = [each for file in files for each in [each for each in quick if file_of(each[0]) == file][:ITS_FILE]]
        named = [each for each in quick if bears_the_name_of(mutant, file_of(each[0]))][:ITS_FILE]
        return list(dict.fromkeys([*named, *first, *mates, *tests]))

    def around(self, mutant: Mutant) -> set[tuple[str, int]]:
        """Paths and lines: before and after the fault, or before and after those that name what it changes."""
        places = [(mutant.path, mutant.first_line, mutant.last_line)]
        if self.runs_at_import(mutant):
            places += [(path, line, line) for path, line in self.naming(mutant)]
        return {(path, line) for path, first, last in places for line in range(first - AROUND, last + AROUND + 1)}

    def reaching(self, mutant: Mutant) -> set[str]:
        lines = range(mutant.first_line, mutant.last_line + 1)
        found = self.executing(mutant.path, lines)
        if found and not self.runs_at_import(mutant):
            return found
        if mutant.path.startswith(IN_PROCESSES):
            return within(nearest(mutant.path, self.files), set(self.seconds))
        users = self.users_of(mutant)
        length = len(mutant.text.splitlines()) + 1
        return found | users | self.executing(mutant.path, range(1, length))

    def users_of(self, mutant: Mutant) -> set[str]:
        """The tests of the lines that name what is given its value there."""
        return set().union(*(self.executing(path, [line]) for path, line in self.naming(mutant)))

    def naming(self, mutant: Mutant) -> list[tuple[str, int]]:
        """Paths and lines that name the constant, function or class in which it is."""
        name = mutant.function.partition(".")[0] or top_name(mutant)
        if not name:
            return []
        word = re.compile(rf"\b{re.escape(name)}\b")
        found = [(path, text) for path, text in self.texts.items() if word.search(text)]
        return [
            (path, line)
            for path, text in found
            for line, words in enumerate(text.splitlines(), 1)
            if word.search(words)
        ]

    @cached_property
    def texts(self) -> dict[str, str]:
        return {
            str(file.relative_to(ROOT)): file.read_text()
            for app in APPS
            for file in sorted((ROOT / app).rglob("*.py"))
            if "migrations" not in file.parts
        }

    def in_order(self, mutant: Mutant, names: Iterable[str]) -> Usual:
        room, stem = Path(mutant.path).parent.parts, Path(mutant.path).stem.rstrip("s")
        near = nearest(mutant.path, self.files)

        def is_about_it(file: str) -> bool:
            return file in near or stem in Path(file).stem

        def distance(name: str) -> tuple[bool, bool, int, float]:
            file = Path(file_of(name))
            shared = sum(1 for one, other in zip(room, file.parts[1:], strict=False) if one == other)
            far = str(file) not in near
            return self.is_slow(name), far, -(2 * shared + (stem in file.stem)), self.seconds[name]

        names = varied(sorted(names, key=distance), self.is_slow, is_about_it)
        return [(name, self.seconds[name]) for name in names]

    @cached_property
    def files(self) -> set[str]:
        return {file_of(name) for name in self.seconds}

    def is_slow(self, name: str) -> bool:
        return self.seconds[name] > SLOW * self.pace and name not in self.races

    @cached_property
    def pace(self) -> float:
        """How slow the machine was when this was noted: by the usual test, which takes a twentieth of a second."""
        return max(1.0, median(self.seconds.values()) / USUAL) if self.seconds else 1.0


def bears_the_name_of(mutant: Mutant, file: str) -> bool:
    """Whether the test file is called after the function in which the fault is."""
    name = mutant.function.rpartition(".")[2].strip("_")
    return len(name) > SHORT_NAME and name in Path(file).stem


def within(files: Container[str] | None, names: set[str]) -> set[str]:
    return names if files is None else {name for name in names if file_of(name) in files}


def varied(names: Iterable[str], is_slow: Callable[[str], bool], is_about_it: Callable[[str], bool]) -> list[str]:
    """The same, so that the first ones differ most: one case of each test, and a few tests of each file, before the
    next; many of a file that is about the module. What is slow stays at the end.
    """
    cases, tests = Counter[str](), Counter[str]()
    rounds = {}
    for name in names:
        test, file = name.partition("[")[0], file_of(name)
        rounds[name] = (is_slow(name), cases[test], tests[file] // (ITS_FILE if is_about_it(file) else A_FILE))
        cases[test] += 1
        tests[file] += 1
    return sorted(rounds, key=rounds.__getitem__)


def top_name(mutant: Mutant) -> str:
    """The constant in whose value it is."""
    for line in reversed(mutant.text.splitlines()[: mutant.first_line]):
        if found := re.match(r"(\w+)\s*(:[^=]+)?=", line):
            return found.group(1)
    return ""


@cache
def moved(before: Path, now: Path) -> dict[int, set[int]]:
    """For each line of now, counted from 1, those of before."""
    olds = before.read_text().splitlines() if before.exists() else []
    news = now.read_text().splitlines()
    found: dict[int, set[int]] = {}
    for word, start, end, new_start, new_end in difflib.SequenceMatcher(None, olds, news, autojunk=False).get_opcodes():
        for offset in range(new_end - new_start):
            same = {start + offset + 1}
            around = set(range(start, end + 2))
            found[new_start + offset + 1] = same if word == "equal" else around
    return found


def fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
