"""Where the processes of a machine lay what they have counted, so that any of them can give the sum.

Each has a file of its own, and holds a lock as long as it lives: the system takes that away however it ends, and no
number of a process, which another may have next, says who lives. What those that have ended had counted is added to one
file: workers are replaced every few thousand requests, and neither files nor a scrape's work may grow by that.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from uuid import uuid4

from core.metrics.counted import Totals
from core.metrics.families import PROCESSES

MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of ours is made there, and looked at before it is used
ENDED, ALL = "ended.json", "all.lock"


def folder_of(port: int) -> Path:
    """Where this user's processes that publish at a port meet. Raises PermissionError where somebody else made it."""
    base = MEMORY if os.access(MEMORY, os.W_OK | os.X_OK) else Path(gettempdir())
    folder = base / f"voicechat-metrics-{os.geteuid()}-{port}"
    folder.mkdir(mode=0o700, exist_ok=True)
    made = folder.lstat()
    if made.st_uid != os.geteuid() or not folder.is_dir() or folder.is_symlink() or made.st_mode & 0o077:
        raise PermissionError(folder)
    return folder


class Files:
    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, f"{os.getpid()}-{uuid4().hex}"
        self.held = os.open(folder / f"{self.name}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self.held, fcntl.LOCK_EX)

    def write(self, written: bytes) -> None:
        put(self.folder / f"{self.name}.json", written)

    def totals(self) -> Totals:
        with self.alone():
            ended = Totals()
            if (kept := self.folder / ENDED).exists():
                ended.add(kept.read_bytes(), is_alive=False)
            living = []
            for each in self.folder.glob("*-*.lock"):
                told = each.with_suffix(".json")
                if is_held(each):
                    living.append(told.read_bytes() if told.exists() else b"")
                    continue
                if told.exists():
                    ended.add(told.read_bytes(), is_alive=False)
                    put(kept, ended.written())
                    told.unlink()
                each.unlink()
        for written in filter(None, living):
            ended.add(written, is_alive=True)
        ended.counts[PROCESSES,] = len(living)
        return ended

    @contextmanager
    def alone(self) -> Iterator[None]:
        lock = os.open(self.folder / ALL, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def put(path: Path, content: bytes) -> None:
    """Who reads it meanwhile reads the one or the other."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(path)


def is_held(path: Path) -> bool:
    probe = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(probe)
    return False
