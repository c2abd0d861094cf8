"""What was found in the old rows and what became of it, counted by plain words, with a few of the ids."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

MOST_NAMED = 5
MERGED, DROPPED, CHANGED, TOLD = "merged", "left out", "changed", "as it is"
"""A merged row is a part of another one, and one that is left out is nowhere; the two others are kept."""


@dataclass
class Tally:
    """`read` rows are those of `kept`, and what was merged and left out. `rounding` is in dollars."""

    read: int = 0
    kept: int = 0
    rounding: Decimal = Decimal(0)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    named: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def note(self, kind: str, words: str, which: object) -> None:
        self.counts[kind, words] += 1
        names = self.named.setdefault((kind, words), [])
        if len(names) < MOST_NAMED:
            names.append(str(which))

    def gone(self, kind: str) -> int:
        return sum(count for (each, _), count in self.counts.items() if each == kind)

    def add(self, other: "Tally") -> None:
        self.read, self.kept = self.read + other.read, self.kept + other.kept
        self.rounding += other.rounding
        self.counts += other.counts
        for key, names in other.named.items():
            self.named[key] = [*self.named.get(key, []), *names][:MOST_NAMED]

    def written(self) -> dict[str, Any]:
        """As JSON can say it."""
        noted = [[*key, count, self.named[key]] for key, count in self.counts.items()]
        return {"read": self.read, "kept": self.kept, "rounding": str(self.rounding), "noted": noted}


def read_tally(written: dict[str, Any]) -> Tally:
    tally = Tally(written["read"], written["kept"], Decimal(written["rounding"]))
    for kind, words, count, names in written["noted"]:
        tally.counts[kind, words], tally.named[kind, words] = count, names
    return tally
