"""What one picture may take of the machine, and that no two large ones take it at the same time."""

import fcntl
import resource
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from uploads.pictures.memory import free_memory
from uploads.pictures.refusals import Refusal, RefusedPictureError

MIB = 1024 * 1024
MOST_NEED = 248 * MIB
SIDE_BY_SIDE = 64 * MIB
"""Pictures that need no more than this are decoded beside those of other processes; a larger one is alone."""
PYTHON = 32 * MIB
"""What the process takes besides, the file included. With the code that is mapped it stays below 300 MiB in all."""
MOST_CPU = 15
"""Seconds of the processor's time for one picture."""
LOCK = Path(__file__)
"""A file that is there in any case, also where nothing can be written."""


def bind() -> None:
    """From now on the kernel holds this process to the limits, whatever a decoder does. Where memory runs out on the
    machine, it is this process that is ended, and not one that answers requests."""
    grant(resource.RLIMIT_DATA, PYTHON + MOST_NEED)
    grant(resource.RLIMIT_CPU, MOST_CPU)
    grant(resource.RLIMIT_CORE, 0)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def grant(what: int, most: int) -> None:
    """At most so much, or what the operator grants anyway if that is less."""
    _, granted = resource.getrlimit(what)
    least = most if granted == resource.RLIM_INFINITY else min(most, granted)
    resource.setrlimit(what, (least, granted))


def make_room(need: int, *, lock: int, wait: float) -> None:
    """From now on so much memory may be taken. Refused where it is not there, or others take too many seconds.

    `lock` is the open LOCK. Leave it open: it is free when the process has ended, and its memory with it.
    """
    if need > MOST_NEED:
        raise RefusedPictureError(Refusal.TOO_MUCH_MEMORY)
    is_small = need <= SIDE_BY_SIDE
    wait_for_lock(lock, fcntl.LOCK_SH if is_small else fcntl.LOCK_EX, wait)
    wait_for_memory(need, wait)
    grant(resource.RLIMIT_DATA, PYTHON + (SIDE_BY_SIDE if is_small else MOST_NEED))


def wait_for_memory(need: int, wait: float) -> None:
    """Those that wait behind this one hold a little, and give up sooner: it waits where no more is missing."""
    until = time.monotonic() + wait
    while (free := free_memory()) is not None and need > free:
        if need > free + SIDE_BY_SIDE or time.monotonic() > until:
            raise RefusedPictureError(Refusal.TOO_MUCH_MEMORY)
        time.sleep(0.05)


def wait_for_lock(lock: int, how: int, wait: float) -> None:
    """Where the file system knows no locks, none is taken."""

    def give_up(*_: object) -> NoReturn:
        raise RefusedPictureError(Refusal.BUSY)

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, wait)
    try:
        fcntl.flock(lock, how)
    except OSError:
        return
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
