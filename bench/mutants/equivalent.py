"""The faults that change nothing, each with the reason: `equivalent.toml`."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.mutants.operators import Mutant

LIST = Path(__file__).parent / "equivalent.toml"


class ListError(Exception):
    """What is wrong with the list."""


@dataclass(frozen=True)
class Entry:
    file: str
    function: str
    line: str
    """As it is written, without the spaces around it: a line's number would not outlive an edit."""
    change: str
    reason: str

    def fits(self, mutant: Mutant) -> bool:
        if (mutant.path, mutant.function) != (self.file, self.function):  # the rest costs a look through the text
            return False
        return (mutant.line, mutant.change) == (self.line, self.change)


def read(path: Path = LIST) -> list[Entry]:
    """Raises ListError."""
    entries = []
    for each in tomllib.loads(path.read_text()).get("mutant", []):
        if set(each) != set(Entry.__annotations__) or not each["reason"].strip():
            raise ListError(f"An entry needs file, function, line, change and a reason, and nothing else: {each}")
        entries.append(Entry(**each))
    return entries


def is_listed(entries: Iterable[Entry], mutant: Mutant) -> bool:
    return any(entry.fits(mutant) for entry in entries)


def stale(entries: Iterable[Entry], mutants: Iterable[Mutant], paths: Iterable[str]) -> list[Entry]:
    """Those of these files that are about no fault any more."""
    places = {(each.path, each.function, each.line, each.change) for each in mutants}
    ours = set(paths)
    gone = [each for each in entries if not Path(each.file).is_file()]
    return gone + [
        each
        for each in entries
        if each.file in ours and (each.file, each.function, each.line, each.change) not in places
    ]
