"""What is said of a take-over: what was found, what is or would be done, and whether the counts agree."""

from collections.abc import Iterable, Iterator

from billing.audit.report import table
from voicechat.adoption.checking import Line
from voicechat.adoption.source import TABLES, Source
from voicechat.adoption.steps import Step
from voicechat.adoption.tally import CHANGED, DROPPED, MERGED, MOST_NAMED, TOLD, Tally

HEADS = {
    MERGED: "Merged",
    DROPPED: "Left out, for there is nothing that they could hang on",
    CHANGED: "Kept, with something changed",
    TOLD: "Kept as it is, and worth knowing",
}


def found(source: Source) -> Iterator[str]:
    rows = [(name, source.count(name)) for name in TABLES if name in source.columns]
    yield "A database of the first back end:"
    yield from table(("", "rows"), *rows)
    if missing := [name for name in TABLES if name not in source.columns]:
        yield f"Not there, and taken as empty: {', '.join(missing)}"


def noted(tallies: Iterable[Tally]) -> Iterator[str]:
    """Each kind of thing with its count, and the ids of a few."""
    whole = Tally()
    for each in tallies:
        whole.add(each)
    for kind, head in HEADS.items():
        lines = [(words, count) for (each, words), count in whole.counts.items() if each == kind]
        yield ""
        yield f"{head}:" if lines else f"{head}: nothing"
        for words, count in lines:
            names = whole.named[kind, words]
            yield f"  {count:>9,}  {words}: {', '.join(names)}{', …' if count > MOST_NAMED else ''}"
    if whole.rounding:
        yield f"Rounding balances adds up to {whole.rounding:+f} dollars."


def planned(steps: Iterable[Step], tallies: dict[str, Tally]) -> Iterator[str]:
    rows = [(step.words, *sums(tallies[step.table])) for step in steps]
    yield ""
    yield from table(("", "now", "merged", "left out", "then"), *rows)


def sums(tally: Tally) -> tuple[int, int, int, int]:
    return tally.read, tally.gone(MERGED), tally.gone(DROPPED), tally.kept


def agreed(lines: Iterable[Line]) -> Iterator[str]:
    yield ""
    rows = [(*line[:-1], "yes" if line.agrees else "NO") for line in lines]
    yield from table(("", "before", "merged", "left out", "after", "agrees"), *rows)
