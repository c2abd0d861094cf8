"""A working copy of the project, and the pytest process that lives in it: faults are never written where one edits."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql

from bench.database import ROOT
from bench.mutants.modules import file_of

START_SECONDS = 180
Usual = list[tuple[str, float]]
"""Tests, each with the seconds that it usually takes."""


class CannotStartError(Exception):
    """Why no test can run."""


class Copy:
    """What git knows of, or would take; with one database on PostgreSQL where its address is given."""

    def __init__(self, folder: Path, postgresql: str = "", files: Iterable[str] = ()) -> None:
        """Tests of these files can be asked there; where none is named, of all."""
        self.folder, self.url, self.files = folder, "", sorted(files)
        self.name = f"mutants_{os.getpid()}_{folder.name}"
        if postgresql:
            self.url = urlunsplit(urlsplit(postgresql)._replace(path=f"/{self.name}"))
        self.administration = postgresql
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        self.warm: Process | None = None
        self.number = 1_000_000_000

    def ask(self, tests: Usual, path: str = "", before: str = "", after: str = "") -> dict[str, Any]:
        """Runs these tests, with the fault if there is one, in a fork of a process that has all tests."""
        if self.warm is None:
            self.warm = Process(self, self.files, warm=True)
        self.number += 1
        fault = {"path": path, "before": before, "after": after, "number": self.number} if path else {}
        answer = self.warm.ask({**fault, "tests": tests})
        if answer["status"] == "error":
            raise CannotStartError(answer["why"])
        if answer["status"] == "lost" or ((answer["status"] == "timeout" or answer.get("died")) and self.url):
            self.stop()  # a database that nobody has tidied up
        return answer

    def ask_anew(self, tests: Usual, path: str, before: str, after: str) -> dict[str, Any]:
        """As `ask`, in a process that imports everything with the fault in it. Takes some seconds more."""
        self.number += 1
        usual = (self.folder / path).stat()
        (self.folder / path).write_text(after)
        os.utime(self.folder / path, (self.number, self.number))
        try:
            process = Process(self, sorted({file_of(name) for name, _ in tests}), "_anew")
        except CannotStartError:
            return {"status": "killed", "by": "(nothing can be imported)", "tests": len(tests), "seconds": 0}
        else:
            answer = process.ask({"tests": tests})
            process.stop()
            if answer["status"] == "error":
                raise CannotStartError(answer["why"])
            return answer
        finally:
            (self.folder / path).write_text(before)
            os.utime(self.folder / path, ns=(usual.st_atime_ns, usual.st_mtime_ns))

    def stop(self) -> None:
        if self.warm:
            self.warm.stop()
            self.warm = None

    def drop(self, suffix: str) -> None:
        """What an interrupted process has left."""
        if self.url:
            name = sql.Identifier(f"test_{self.name}{suffix}")
            with closing(psycopg2.connect(self.administration)) as connection:
                connection.autocommit = True
                connection.cursor().execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


class Process:
    """One pytest. Raises CannotStartError where it does not get as far as to run tests."""

    def __init__(self, copy: Copy, files: list[str], suffix: str = "", *, warm: bool = False) -> None:
        self.copy, self.suffix = copy, suffix
        reading, their_writing = os.pipe()
        their_reading, writing = os.pipe()
        environment = {**os.environ, "MUTANTS_IN": str(their_reading), "MUTANTS_OUT": str(their_writing)}
        environment["DATABASE_URL"] = f"{copy.url}{suffix}" if copy.url else "sqlite:///unused.sqlite3"
        if warm:
            environment["MUTANTS_WARM"] = "yes"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "bench.mutants.worker", *PLAIN, *files]
        with (copy.folder / "pytest.log").open("w") as log:
            self.child = subprocess.Popen(
                command,
                cwd=copy.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(their_reading, their_writing),
                start_new_session=True,
            )
        os.close(their_reading)
        os.close(their_writing)
        self.told, self.questions = os.fdopen(reading), os.fdopen(writing, "w")
        if not self.told.readline():
            self.stop()
            raise CannotStartError((copy.folder / "pytest.log").read_text()[-2000:])

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        try:
            print(json.dumps(question), file=self.questions, flush=True)
            answer: dict[str, Any] = json.loads(self.told.readline())
        except (OSError, ValueError):
            return {"status": "lost"}
        return answer

    def stop(self) -> None:
        """It drops its database by itself, or else we do."""
        for end in (self.questions, self.told):
            with suppress(OSError):
                end.close()
        try:
            self.child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
        self.copy.drop(self.suffix)


PLAIN = ("-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider")
