"""What became of each fault, one line of JSON each, so that a run goes on where the last one ended."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock

from bench.mutants.operators import Mutant

ONE, BOTH = "SQLite", "SQLite + PostgreSQL"
KILLED = ("killed", "timeout")


@dataclass(frozen=True)
class Result:
    key: str
    file: str
    line_number: int
    function: str
    line: str
    change: str
    operator: str
    status: str
    """killed, timeout, survived, or unreached: no test executes it."""
    by: str
    ran: int
    """So many tests, of `reaching` ones."""
    reaching: int
    seconds: float
    database: str
    tests: str
    """A fingerprint of all tests: who has survived other ones is tried again."""

    @property
    def is_killed(self) -> bool:
        return self.status in KILLED

    def __str__(self) -> str:
        ran = f"{self.ran} of {self.reaching} tests" if self.reaching else "no test executes it"
        where = f"{self.file}:{self.line_number} {self.function}".rstrip()
        return f"{where}: {self.change}  [{self.operator}; {ran}, {self.database}]"


class Results:
    def __init__(self, file: Path) -> None:
        self.file, self.lock = file, Lock()
        self.known: dict[str, Result] = {}
        if file.exists():
            for line in file.read_text().splitlines():
                try:
                    result = Result(**json.loads(line))
                except (TypeError, ValueError):
                    continue  # half a line, where a run was ended
                self.known[result.key] = result

    def keep(self, result: Result) -> None:
        with self.lock, self.file.open("a") as file:
            self.known[result.key] = result
            file.write(json.dumps(asdict(result)) + "\n")

    def settled(self, mutant: Mutant, tests: list[str], databases: str, *, whole: bool) -> Result | None:
        """What is known, and would come out again. `tests` are the fingerprints of this round and of those after it."""
        result = self.known.get(mutant.key)
        if result is None or result.is_killed:
            return result
        complete = not whole or result.ran == result.reaching
        asked = result.tests in tests[1:] or (result.tests == tests[0] and result.database in (databases, BOTH))
        return result if asked and complete else None
