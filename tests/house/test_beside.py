"""`make run` starts a worker beside the server: it begins anew where it dies, and whatever ends the server ends it."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.database import ROOT, manage
from bench.server import free_port, wait_for
from tests.jobs.aside import wait_until
from voicechat import beside


def processes(mark):
    """Those that were started with this among their variables, by what they are."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables, words = (folder / "environ").read_bytes(), (folder / "cmdline").read_bytes()
        except OSError:  # gone, or not ours
            continue
        if f"MARK={mark}".encode() in variables:
            kinds = {b"voicechat.beside": "keeper", b"work": "worker", b"gunicorn": "server"}
            kind = next((kind for word, kind in kinds.items() if word in words.split(b"\0")), "")
            found.setdefault(kind, []).append(int(folder.name))
    return found


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    file = tmp_path_factory.mktemp("beside") / "db.sqlite3"
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{file}", "WEB_CONCURRENCY": "1", "MARK": str(file)}
    manage(environment, "migrate", "--noinput", "--verbosity", "0")
    return environment


@pytest.fixture
def run(environment):
    """As `make run` does. At the end nothing is left."""

    @contextmanager
    def run(*flags):
        port = free_port()
        command = [sys.executable, "-m", "voicechat", "--with-worker", "--bind", f"127.0.0.1:{port}", *flags]
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)  # noqa: S603
            try:
                wait_for(process, port, log, "/healthz")
                wait_until(lambda: processes(environment["MARK"]).get("worker"))
                yield process, log
            finally:
                for pids in processes(environment["MARK"]).values():
                    for pid in pids:
                        os.kill(pid, signal.SIGKILL)
                process.wait()

    return run


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_the_server_before_that_has_ended(run, environment, how):
    with run() as (process, log):
        time.sleep(1)  # in the middle of its start, or after it
        process.send_signal(how)
        assert process.wait(30) == 0
        assert processes(environment["MARK"]) == {}
        log.seek(0)
        assert b"are done by a worker beside the server" in log.read()


def test_ctrl_c_reaches_all_of_them_at_once_and_none_begins_anew(run, environment):
    with run() as (process, _):
        for pids in processes(environment["MARK"]).values():
            for pid in pids:
                os.kill(pid, signal.SIGINT)
        assert process.wait(30) == 0
        assert processes(environment["MARK"]) == {}


def test_a_server_that_is_killed_leaves_nobody_behind(run, environment):
    with run("--timeout", "2") as (process, _):
        process.kill()
        process.wait()
        wait_until(lambda: processes(environment["MARK"]) == {})


def test_a_worker_that_is_killed_begins_anew(run, environment):
    with run() as (_, _):
        (first,) = processes(environment["MARK"])["worker"]
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: processes(environment["MARK"]).get("worker", [first]) != [first])


def test_whoever_keeps_the_worker_is_killed_and_the_worker_ends(run, environment):
    with run() as (process, _):
        (keeper,) = processes(environment["MARK"])["keeper"]
        os.kill(keeper, signal.SIGKILL)
        wait_until(lambda: not processes(environment["MARK"]).get("worker"))
        assert process.poll() is None


def test_what_dies_again_and_again_begins_ever_later_and_what_has_lived_at_once(monkeypatch):
    now, pauses, lives = 0.0, [], iter([0, 0, 0, 0, 59, 61, 0])

    def watch(worker):
        nonlocal now
        now += next(lives)

    keeper = beside.Keeper.__new__(beside.Keeper)  # without its signals, which are this process's
    keeper.watch = watch
    keeper.ending = SimpleNamespace(wait=pauses.append, is_set=lambda: len(pauses) == 7)
    monkeypatch.setattr(beside, "monotonic", lambda: now)
    monkeypatch.setattr(beside, "start_worker", lambda: None)
    keeper.run()
    assert pauses == [2, 4, 8, 16, 30, 1, 2]
