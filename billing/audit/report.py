"""What the operators' commands found, as a short table for people and an exit code for schedulers."""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from rest_framework.exceptions import APIException

from billing.gateway.interface import PaymentsUnavailable
from core.deadline import is_over

logger = logging.getLogger(__name__)

ENOUGH_FAILURES = 3
MOST_SHOWN = 20
MOST_NAMED = 5


@dataclass(slots=True)
class Finding:
    """`named` are the first few that are wrong. A warning is shown, and is no fault of the ledger's."""

    check: str
    rows: int = 0
    wrong: int = 0
    named: tuple[str, ...] = ()
    is_warning: bool = False
    is_whole: bool = True
    """Whether all rows were looked at, or the run's time was over before."""

    def add(self, rows: int, wrong: int, named: Iterable[object] = ()) -> None:
        """What one more part of the rows has brought."""
        self.rows, self.wrong = self.rows + rows, self.wrong + wrong
        self.named = (*self.named, *map(str, named))[:MOST_NAMED]


def sentence(finding: Finding) -> str:
    more = ", …" if finding.wrong > len(finding.named) else ""
    return f"{finding.check}: {finding.wrong:,} not ({', '.join(finding.named)}{more})"


NOT_SOUND = "The ledger is not sound."


def differences_told(words: str) -> int:
    """How many `check_ledger` has found, by what it said: the sentences behind its verdict."""
    _, verdict, told = words.partition(NOT_SOUND)
    return sum(int(count.replace(",", "")) for count in re.findall(r": ([\d,]+) not \(", told)) if verdict else 0


@dataclass(slots=True)
class Line:
    title: str
    looked_at: int = 0
    put_right: int = 0
    left: list[str] = field(default_factory=list)
    failures: int = 0
    """So often in a row Stripe has not answered."""

    def attempt(self, what: str, work: Callable[[], object]) -> bool:
        """Whether it worked. What failed is left for the next run; after some failures of Stripe's so is the rest."""
        if self.failures >= ENOUGH_FAILURES:
            self.left.append(f"{what}: not tried, for Stripe does not answer")
            return False
        if is_over():
            self.left.append(f"{what}: not tried, for the run's time was over")
            return False
        try:
            work()
        except APIException as error:
            self.failures = self.failures + 1 if isinstance(error, PaymentsUnavailable) and error.is_outage else 0
            self.left.append(f"{what}: {error.detail}")
        except Exception as error:  # the database's, or a fault of ours that one brings out: the others go on
            logger.warning("Could not work on %s", what, exc_info=error)
            self.left.append(f"{what}: {type(error).__name__}")
        else:
            self.failures = 0
            return True
        return False


@dataclass(slots=True)
class Report:
    """One line for each kind of thing. Whatever is left in one of them is a difference."""

    lines: list[Line] = field(default_factory=list)
    foreign: int = 0
    """Payments, refunds and disputes at Stripe that have nothing to do with this server."""

    def line(self, title: str) -> Line:
        self.lines.append(Line(title))
        return self.lines[-1]

    @property
    def left(self) -> list[str]:
        return [each for line in self.lines for each in line.left]


def table(head: Sequence[object], *rows: Sequence[object]) -> list[str]:
    """The first column to the left, the others to the right."""
    texts = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in (head, *rows)]
    first, *others = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return [
        f"{row[0]:<{first}}" + "".join(f"{cell:>{width + 3}}" for cell, width in zip(row[1:], others, strict=True))
        for row in texts
    ]


def shortened(lines: Sequence[str], most: int = MOST_SHOWN) -> list[str]:
    more = [f"and {len(lines) - most:,} more"] if len(lines) > most else []
    return [*lines[:most], *more]
