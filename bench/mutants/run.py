"""Runs faults against the tests that may notice them, on as many processes as wanted."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from bench.mutants.copies import Copy, Usual
from bench.mutants.modules import file_of
from bench.mutants.nearest import Map
from bench.mutants.operators import Mutant
from bench.mutants.results import BOTH, ONE, Result, Results
from bench.mutants.swap import is_in_functions

FIRST_FILES = 4
"""So many test files a process that imports anew gets at first: most faults end there."""
Verdict = tuple[dict[str, Any], int]


class Run:
    """One round: of its test files alone. The fingerprints say which tests were asked up to it, and up to the last."""

    def __init__(
        self, known: Map, results: Results, files: Iterable[str], tests: str, earlier: str, budget: float
    ) -> None:
        self.map, self.results, self.files = known, results, set(files)
        self.tests, self.earlier, self.budget = tests, earlier, budget
        self.sound: set[str] = set()
        """Tests that pass here without a fault, so that their failure says something."""
        self.unsound: set[str] = set()

    def over(self, mutants: list[Mutant], workers: int, postgresql: str, tell: Callable[[Result], None]) -> None:
        database = BOTH if postgresql else ONE
        with copies(workers, postgresql, self.files) as free, ThreadPoolExecutor(workers) as threads:

            def one(mutant: Mutant) -> None:
                copy = free.get()
                try:
                    result = self.with_earlier(mutant, self.tried(copy, mutant, database))
                finally:
                    free.put(copy)
                self.results.keep(result)
                tell(result)

            try:
                for _ in threads.map(one, mutants):
                    pass
            except BaseException:
                threads.shutdown(wait=True, cancel_futures=True)
                raise

    def with_earlier(self, mutant: Mutant, result: Result) -> Result:
        """With the tests of the round before counted, where it has survived them."""
        before = self.results.known.get(mutant.key)
        if before is None or before.tests != self.earlier:
            return result
        status = before.status if result.status == "unreached" else result.status
        return replace(result, status=status, ran=before.ran + result.ran, reaching=before.reaching + result.reaching)

    def tried(self, copy: Copy, mutant: Mutant, database: str) -> Result:
        found = self.map.tests_for(mutant, self.files)
        reaching = [each for each in found if copy.url or each[0] not in self.map.races]
        if copy.url:
            reaching.sort(key=lambda each: each[0] not in self.map.races)
        began = time.monotonic()
        answer: dict[str, Any] = {"status": "unreached"}
        if reaching:
            answer = self.verdict(copy, mutant, reaching)
        return Result(
            key=mutant.key,
            file=mutant.path,
            line_number=mutant.first_line,
            function=mutant.function,
            line=mutant.line,
            change=mutant.change,
            operator=mutant.operator,
            status=answer["status"],
            by=answer.get("by", ""),
            ran=answer.get("ran", 0),
            reaching=len(reaching),
            seconds=round(time.monotonic() - began, 2),
            database=database,
            tests=self.tests,
        )

    def verdict(self, copy: Copy, mutant: Mutant, reaching: Usual) -> dict[str, Any]:
        """Asked again without a test that fails anyhow."""
        inside = is_in_functions(mutant.text, mutant.source)
        anew = self.map.runs_at_import(mutant) if inside else mutant.operator == "text"
        while True:
            tests = within(self.budget * self.map.pace, [each for each in reaching if each[0] not in self.unsound])
            answer = {"status": "import"}
            if not anew:
                answer = copy.ask(tests, mutant.path, mutant.text, mutant.source)
            if answer["status"] == "import":
                anew = True
                answer = in_parts(copy, mutant, tests)
            if answer["status"] == "lost":
                answer = {"status": "survived"}
            by = answer.get("by", "")
            if answer["status"] == "survived" or "::" not in by or self.is_sound(copy, by):
                return answer

    def is_sound(self, copy: Copy, name: str) -> bool:
        if name not in self.sound | self.unsound:
            alone = copy.ask([(name, self.map.seconds.get(name, 1.0))])
            (self.sound if alone["status"] == "survived" else self.unsound).add(name)
        return name in self.sound


def within(budget: float, tests: Usual) -> Usual:
    """The nearest that fit, one at least; all of them where the budget is 0."""
    if not budget:
        return tests
    spent, fitting = 0.0, []
    for each in tests:
        spent += each[1]
        if fitting and spent > budget:
            break
        fitting.append(each)
    return fitting


def in_parts(copy: Copy, mutant: Mutant, tests: Usual) -> dict[str, Any]:
    """The tests of the nearest files first, for a process has to import the files of all that it gets."""
    files = list(dict.fromkeys(file_of(name) for name, _ in tests))
    near = set(files[:FIRST_FILES])
    parts = [[each for each in tests if (file_of(each[0]) in near) is is_near] for is_near in (True, False)]
    ran = 0
    answer: dict[str, Any] = {"status": "survived"}
    for part in filter(None, parts):
        answer = copy.ask_anew(part, mutant.path, mutant.text, mutant.source)
        ran += answer.get("ran", 0)
        if answer["status"] != "survived":
            break
    return {**answer, "ran": ran}


@contextmanager
def copies(workers: int, postgresql: str, files: Iterable[str]) -> Iterator["SimpleQueue[Copy]"]:
    """Removed at the end, with their processes and databases."""
    folder = Path(tempfile.mkdtemp(prefix="mutants"))
    made = []
    try:
        free: SimpleQueue[Copy] = SimpleQueue()
        for number in range(workers):
            (folder / str(number)).mkdir()
            made.append(Copy(folder / str(number), postgresql, files))
            free.put(made[-1])
        yield free
    finally:
        for copy in made:
            copy.stop()
            for suffix in ("", "_anew"):
                copy.drop(suffix)
        shutil.rmtree(folder, ignore_errors=True)


def by_file(results: Iterable[Result]) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = {}
    for each in results:
        found.setdefault(each.file, []).append(each)
    return found
