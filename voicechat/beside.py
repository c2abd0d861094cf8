"""A worker beside the server, for `make run`: started with it, begun anew where it dies, and ended with it.

`python -m voicechat --with-worker` starts this as a process of its own, and becomes gunicorn. Gunicorn's own process
alone holds the other end of its standard input: whatever ends gunicorn, `kill -9` too, ends that, and by it the worker.
The worker knows in the same way that this process lives. In production the host starts and watches the worker.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

ROOT = Path(__file__).resolve().parent.parent
GRACE = 5
"""Seconds for what the worker is at, when the server ends."""
HELD = "VOICECHAT_WORKER"
"""Among gunicorn's variables: the end of the pipe that it holds, and this process."""
LONGEST_PAUSE = 30.0
"""Seconds, between two starts of a worker that always dies."""
LIVED = 60.0
"""After so many seconds the next pause is short again."""


def start() -> None:
    """Called by who becomes gunicorn: its process is the parent."""
    ours, gunicorns = os.pipe()
    command = [sys.executable, "-m", "voicechat.beside"]
    keeper = subprocess.Popen(command, cwd=ROOT, stdin=ours)  # noqa: S603  # our own interpreter
    os.close(ours)
    os.set_inheritable(gunicorns, True)  # noqa: FBT003  # it has no name
    os.environ[HELD] = f"{gunicorns} {keeper.pid}"


def is_there() -> bool:
    return HELD in os.environ


def let_go() -> None:
    """In a process that gunicorn has forked: only gunicorn's own says that the server lives."""
    if is_there():
        os.close(held()[0])


def end() -> None:
    """In gunicorn, when it ends: waits until the worker is gone too, so that `make run` leaves nothing behind."""
    if not is_there():
        return
    pipe, keeper = held()
    os.close(pipe)
    ends = monotonic() + GRACE + 5
    with suppress(ChildProcessError):  # gunicorn has seen its end already
        while os.waitpid(keeper, os.WNOHANG) == (0, 0) and monotonic() < ends:
            sleep(0.05)


def held() -> tuple[int, int]:
    pipe, keeper = os.environ[HELD].split()
    return int(pipe), int(keeper)


class Keeper:
    def __init__(self) -> None:
        self.ending = Event()
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: self.ending.set())
        Thread(target=self.watch_server, daemon=True).start()

    def watch_server(self) -> None:
        while os.read(0, 1024):
            pass
        self.ending.set()

    def run(self) -> None:
        pause = 1.0
        while not self.ending.is_set():
            begun = monotonic()
            self.watch(start_worker())
            pause = 1.0 if monotonic() - begun > LIVED else min(pause * 2, LONGEST_PAUSE)
            self.ending.wait(pause)

    def watch(self, worker: "subprocess.Popen[bytes]") -> None:
        while worker.poll() is None and not self.ending.wait(0.2):
            pass
        worker.terminate()
        try:
            worker.wait(GRACE + 3)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def start_worker() -> "subprocess.Popen[bytes]":
    command = [sys.executable, str(ROOT / "manage.py"), "work", "--with-parent", "--grace", str(GRACE)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)  # noqa: S603  # our own interpreter


if __name__ == "__main__":
    Keeper().run()
