"""Settings, each time loaded by a process of its own: a fork of one that has the libraries, and nothing of ours."""

import multiprocessing
import os
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from shutil import copytree

ROOT = Path(__file__).parents[2]
SHOWN = "s.PAYMENTS, s.TELEPHONY, s.STORAGE, s.MIN_CALL_BALANCE"
LIBRARIES = [
    "cryptography.hazmat.primitives.serialization",
    "django_stubs_ext.patch",
    "dotenv",
    "gunicorn.config",
    "redis.asyncio",
]
"""What takes a third of a second to import."""


@cache
def forks() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    return context


def start(environment: dict[str, str], show: str = SHOWN, folder: Path = ROOT) -> tuple[bool, str]:
    """(Whether the settings are accepted, what was said): what `show` names of them as `s`, or why not."""
    answer, told = forks().Pipe(duplex=False)
    process = forks().Process(target=load, args=(told, environment, show, folder))
    process.start()
    told.close()
    accepted, said = answer.recv()
    process.join()
    answer.close()
    return accepted, said


def load(told: Connection, environment: dict[str, str], show: str, folder: Path) -> None:
    """In the fork, as `python -c` does."""
    os.environ.clear()
    os.environ.update({"PATH": os.defpath, **environment})
    os.chdir(folder)
    sys.path = [str(folder), *(each for each in sys.path if each not in ("", str(ROOT)))]
    said, accepted = StringIO(), True
    with redirect_stdout(said), redirect_stderr(said):
        try:
            exec(f"import voicechat.settings as s; print({show})", {})  # noqa: S102  # the tests' own words
        except BaseException:
            accepted = False
            traceback.print_exc()
    told.send((accepted, said.getvalue()))


def copy_code(folder):
    """What loading the settings takes, without an .env of one's own."""
    for package in ("voicechat", "core"):
        copytree(ROOT / package, folder / package)
