"""A pytest plugin that notes which tests execute which lines of the product: `-p bench.mutants.reach`.

For each test file one JSON file in the folder REACH: how each of its tests ended, how long it took, and of each product
file the lines that it executed. Threads that a test starts count as the test; processes that it starts are not seen.
"""

import json
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from bench.mutants.modules import APPS, AT_IMPORT, file_of

ROOT = Path(os.environ.get("REACH_ROOT") or Path.cwd())
FOLDER = Path(os.environ["REACH"])

Tracer = Callable[[Any, str, Any], Any]


class Traced:
    """One function of the product, and its lines that were executed since they were last taken."""

    def __init__(self, code: CodeType, path: str) -> None:
        self.path, self.seen = path, set[int]()
        self.number = len({line for _, _, line in code.co_lines() if line} | {code.co_firstlineno})

        def note(frame: Any, event: str, argument: Any) -> Any:
            self.seen.add(frame.f_lineno)
            return note

        self.note: Tracer = note


tracers: dict[int, tuple[CodeType, Traced | None]] = {}
"""By the code's identity, for its hash takes as long as a short function. The code is held, or another would get it."""
executed: list[Traced] = []


def traced(code: CodeType) -> Traced | None:
    inside = code.co_filename.removeprefix(f"{ROOT}/")
    if inside == code.co_filename or inside.partition("/")[0] not in APPS:
        return None
    return Traced(code, inside)


def on_call(frame: Any, event: str, argument: Any) -> Any:
    code = frame.f_code
    known = tracers.get(id(code))
    if known is None:
        known = tracers[id(code)] = (code, traced(code))
    ours = known[1]
    if ours is None or len(ours.seen) == ours.number:  # what has been seen whole is as fast as without us
        return None
    if not ours.seen:
        executed.append(ours)
        ours.seen.add(code.co_firstlineno)
    return ours.note


def start() -> None:
    threading.settrace(on_call)
    sys.settrace(on_call)


def taken() -> dict[str, list[int]]:
    lines: dict[str, set[int]] = defaultdict(set)
    for each in executed:
        lines[each.path] |= each.seen
        each.seen.clear()
    executed.clear()
    return {path: sorted(found) for path, found in lines.items()}


class Notes:
    """What is known of the tests so far, by test file."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, Any]] = defaultdict(dict)

    def write(self) -> None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name, tests in self.files.items():
            unfinished = FOLDER / f"{name.replace('/', '.')}.{os.getpid()}.new"
            unfinished.write_text(json.dumps(tests, separators=(",", ":")))
            unfinished.replace(unfinished.with_suffix(".json"))


notes = Notes()
start()  # what is executed while the product is imported counts too, under a name of its own


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: Any) -> None:
    notes.files[AT_IMPORT][AT_IMPORT] = {"outcome": "passed", "seconds": 0, "lines": taken()}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: Any) -> Any:
    taken()
    start()
    yield
    item_notes = notes.files[file_of(item.nodeid)].setdefault(item.nodeid, {})
    item_notes["lines"] = taken()


def pytest_runtest_logreport(report: Any) -> None:
    if os.environ.get("PYTEST_XDIST_WORKER") is None and hasattr(report, "node"):
        return  # told to the controller by a worker
    item_notes = notes.files[file_of(report.nodeid)].setdefault(report.nodeid, {})
    item_notes["seconds"] = round(item_notes.get("seconds", 0) + report.duration, 4)
    if report.when == "call" or report.outcome != "passed":
        item_notes["outcome"] = report.outcome


def pytest_unconfigure() -> None:
    sys.settrace(None)
    threading.settrace(None)  # type: ignore[arg-type]  # as the documentation says
    if notes.files:
        notes.write()
