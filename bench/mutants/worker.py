"""A pytest plugin that collects the tests once, and runs some of them for each fault: `-p bench.mutants.worker`.

It makes the database, then answers questions that come as lines of JSON on the descriptor MUTANTS_IN, on MUTANTS_OUT.
Each is answered by a fork of its own, which has Django, the tests and (on SQLite) the database from its parent. The
fault is written into the file too, for the processes that tests start.
"""

import gc
import json
import os
import select
import signal
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import setup_databases, teardown_databases

from bench.mutants.swap import Functions, NeedsNewImportError, living, swap

FACTOR = 10
"""So many times its usual time a test may take, and PATIENCE seconds beside."""
PATIENCE = 40.0
NEAR = 40
Answer = dict[str, Any]


class Database:
    """In place of pytest-django's: it is there before the first test, and goes after the last fork."""

    @pytest.fixture(scope="session")
    def django_db_setup(self, django_test_environment: None) -> None:
        """Made already."""


def pytest_configure(config: Any) -> None:
    config.pluginmanager.register(Database(), "mutants' database")
    from hypothesis import Phase, settings  # noqa: PLC0415  # its own plugin must come first

    quick = [Phase.explicit, Phase.generate]  # nobody reads the smallest example
    settings.register_profile("mutants", phases=quick, database=None, derandomize=True, deadline=None)
    settings.load_profile("mutants")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: Any) -> bool:
    if session.testsfailed:
        return True  # what cannot be collected: the asker sees the process end
    blocker = session.config.stash[django_blocker()]
    questions, answers = os.fdopen(int(os.environ["MUTANTS_IN"])), int(os.environ["MUTANTS_OUT"])
    items = {item.nodeid: item for item in session.items}
    from tests.openapi import routes  # noqa: PLC0415  # needs Django's settings, which pytest loads after this plugin

    with blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
        if connection.vendor != "sqlite":
            connections.close_all()  # a fork must not speak on its parent's
        if "MUTANTS_WARM" in os.environ:
            routes()  # the tests' OpenAPI document, which each fork would make for itself
    functions = living(str(Path.cwd()))
    gc.collect()
    gc.freeze()  # or each fork would copy what it only counts
    say(answers, {"status": "ready", "tests": len(items)})
    try:
        for line in questions:
            say(answers, reply(items, functions, json.loads(line)))
    finally:
        with blocker.unblock():
            teardown_databases(made, verbosity=0)
    return True


def django_blocker() -> Any:
    from pytest_django.plugin import blocking_manager_key  # noqa: PLC0415  # pytest loads it after this plugin

    return blocking_manager_key


def say(to: int, what: Answer) -> None:
    os.write(to, json.dumps(what).encode() + b"\n")


def reply(items: dict[str, Any], functions: Functions, question: dict[str, Any]) -> Answer:
    """`path`, `before` and `after` say the fault, where there is one; `tests` pairs of a name and usual seconds."""
    began = time.monotonic()
    wanted = [(items[name], seconds) for name, seconds in question["tests"] if name in items]
    with written(question):
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            be_the_fork(wanted, functions, question, writing)
        os.close(writing)
        with os.fdopen(reading, "rb", buffering=0) as told:
            answer = watch(child, told, [seconds for _, seconds in wanted])
    return {**answer, "seconds": round(time.monotonic() - began, 2), "tests": len(wanted)}


@contextmanager
def written(question: dict[str, Any]) -> Iterator[None]:
    if not question.get("path"):
        yield
        return
    path = Path(question["path"])
    usual = path.stat()
    write(path, question["after"], question["number"])
    try:
        yield
    finally:
        path.write_text(question["before"])
        os.utime(path, ns=(usual.st_atime_ns, usual.st_mtime_ns))


def write(path: Path, text: str, number: int) -> None:
    """Each with a time of its own, by which Python knows that what it has compiled is of another text."""
    path.write_text(text)
    os.utime(path, (number, number))


def be_the_fork(wanted: list[tuple[Any, float]], functions: Functions, question: dict[str, Any], to: int) -> None:
    try:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for each in (0, 1, 2):
            os.dup2(nowhere, each)
        whole = True
        if question.get("path"):
            path = str(Path(question["path"]).absolute())
            whole = swap(functions, path, question["before"], question["after"])
        run(wanted, to, whole=whole)
    except NeedsNewImportError:
        say(to, {"status": "import"})
    except BaseException:  # whatever it is, the asker must hear of it
        say(to, {"status": "error", "why": traceback.format_exc()})
    finally:
        os._exit(0)


def run(wanted: list[tuple[Any, float]], to: int, *, whole: bool) -> None:
    """Where the fault is not wholly in, only the nearest are asked, and only a failure is an answer."""
    if not whole:
        wanted = wanted[:NEAR]
    if not wanted:
        say(to, {"status": "survived"})
        return
    noted, plugins = Noted(), wanted[0][0].config.pluginmanager
    plugins.register(noted, "mutants' notes")
    if reporter := plugins.get_plugin("terminalreporter"):  # nobody reads it, and a test may bound what is written
        plugins.unregister(reporter)
    for number, (item, _) in enumerate(wanted):
        following = wanted[number + 1][0] if number + 1 < len(wanted) else None
        say(to, {"begun": item.nodeid})
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if noted.failed:
            say(to, {"status": "killed", "by": noted.failed, "ran": number + 1})
            return
    say(to, {"status": "survived" if whole else "import", "ran": len(wanted), "skipped": noted.skipped})


class Noted:
    failed = ""
    skipped = 0

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.skipped += report.skipped
        if report.failed and not self.failed:
            self.failed = report.nodeid


def watch(child: int, told: Any, usual: list[float]) -> Answer:
    """Waits for the fork's word; a test that takes too long ends it. All that it has started goes with it."""
    answer, begun, rest, patience = {}, "", b"", PATIENCE
    left = iter(usual)
    while not answer:
        if not select.select([told], [], [], patience)[0]:
            answer = {"status": "timeout", "by": begun}
            break
        got = os.read(told.fileno(), 65536)
        if not got:
            answer = {"status": "killed", "by": begun or "(it died)", "died": True}
            break
        *lines, rest = (rest + got).split(b"\n")
        for word in map(json.loads, lines):
            if "begun" in word:
                begun, patience = word["begun"], PATIENCE + FACTOR * next(left)
            else:
                answer = word
    if answer["status"] != "timeout":
        wait_a_moment(child)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(child, 0)
    return answer


def wait_a_moment(child: int) -> None:
    """For the tests' tear-down, which may empty a database."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            info = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if info is not None:
            return
        time.sleep(0.002)
