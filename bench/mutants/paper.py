"""The table of `docs/mutants.md`: a row for each module, made anew where no sample of it was run."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from bench.mutants.results import Result

BEGIN, END = "<!-- made by `make mutants` -->", "<!-- until here -->"
HEAD = """\
| module | faults | of | killed | equivalent | survived | asked | databases | run on |
|---|---|---|---|---|---|---|---|---|"""
ROW = re.compile(r"^\| `([^`]+)` \|.*$", re.MULTILINE)


def row(path: str, results: Iterable[Result], equivalent: int, day: str, *, rules: bool, nearest: bool) -> str:
    found = list(results)
    killed = sum(each.is_killed for each in found)
    databases = ", ".join(sorted({name for each in found for name in each.database.split(" + ")})) or "-"
    counts = f"{killed} | {equivalent} | {len(found) - killed} | {'nearest' if nearest else 'all'}"
    of = "rules" if rules else "all"
    return f"| `{path}` | {len(found) + equivalent} | {of} | {counts} | {databases} | {day} |"


def write(paper: Path, rows: dict[str, str]) -> None:
    text = paper.read_text()
    before, rest = text.split(BEGIN)
    table, after = rest.split(END)
    known = {found.group(1): found.group(0) for found in ROW.finditer(table)}
    merged = {**known, **rows}
    lines = "\n".join(merged[path] for path in sorted(merged))
    paper.write_text(f"{before}{BEGIN}\n{HEAD}\n{lines}\n{END}{after}")


def today() -> str:
    return datetime.now(UTC).date().isoformat()
