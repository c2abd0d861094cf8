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
from typing import Any

import pytest

from bench.mutants.modules import APPS, AT_IMPORT

ROOT = Path(os.environ.get("REACH_ROOT") or Path.cwd())
FOLDER = Path(os.environ["REACH"])

Tracer = Callable[[Any, str, Any], Any]
lines: dict[str, set[int]] = defaultdict(set)
"""What was executed since it was last emptied, by the file's path from the root."""
tracers: dict[Any, Tracer | None] = {}


def tracer_of(code: Any) -> Tracer | None:
    path = code.co_filename
    inside = path.removeprefix(f"{ROOT}/")
    if inside == path or inside.partition("/")[0] not in APPS:
        return None

    def note(frame: Any, event: str, argument: Any) -> Any:
        if event == "line":
            lines[inside].add(frame.f_lineno)
        return note

    return note


def on_call(frame: Any, event: str, argument: Any) -> Any:
    code = frame.f_code
    try:
        return tracers[code]
    except KeyError:
        tracers[code] = tracer = tracer_of(code)
        return tracer


def start() -> None:
    threading.settrace(on_call)
    sys.settrace(on_call)


def taken() -> dict[str, list[int]]:
    now = {path: sorted(found) for path, found in list(lines.items())}
    lines.clear()
    return now


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
    lines.clear()
    start()
    yield
    item_notes = notes.files[item.nodeid.partition("::")[0]].setdefault(item.nodeid, {})
    item_notes["lines"] = taken()


def pytest_runtest_logreport(report: Any) -> None:
    if os.environ.get("PYTEST_XDIST_WORKER") is None and hasattr(report, "node"):
        return  # told to the controller by a worker
    item_notes = notes.files[report.nodeid.partition("::")[0]].setdefault(report.nodeid, {})
    item_notes["seconds"] = round(item_notes.get("seconds", 0) + report.duration, 4)
    if report.when == "call" or report.outcome != "passed":
        item_notes["outcome"] = report.outcome


def pytest_unconfigure() -> None:
    sys.settrace(None)
    threading.settrace(None)  # type: ignore[arg-type]  # as the documentation says
    if notes.files:
        notes.write()
