"""gunicorn as production runs it, with the product's `gunicorn.conf.py`, on a free port of this machine alone."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from bench.database import ROOT

START_SECONDS = 120  # on a busy machine
STOP_SECONDS = 10


@dataclass(frozen=True)
class Setting:
    """How gunicorn is to serve; what is None is left to `gunicorn.conf.py`."""

    worker_class: str | None = None
    workers: int | None = None
    threads: int | None = None

    def flags(self) -> list[str]:
        given = {"--worker-class": self.worker_class, "--workers": self.workers, "--threads": self.threads}
        return [part for flag, value in given.items() if value is not None for part in (flag, str(value))]

    def __str__(self) -> str:
        return " ".join(self.flags()) or "as gunicorn.conf.py says"


@dataclass(frozen=True)
class Server:
    port: int
    process: subprocess.Popen[bytes]
    log: IO[bytes]


@contextmanager
def serve(setting: Setting, environment: dict[str, str]) -> Iterator[int]:
    """Gives the port. Workers are not replaced after so many requests here: it would fall into a measurement."""
    flags = [*setting.flags(), "--max-requests", "0"]
    with gunicorn("bench.wsgi", flags, environment, probe="/bench/bare") as server:
        yield server.port


@contextmanager
def gunicorn(
    application: str,
    flags: list[str],
    environment: dict[str, str],
    probe: str,
    root: Path = ROOT,
    *,
    port: int | None = None,
) -> Iterator[Server]:
    """A server that answers `probe`, at a free port if none is given; stopped at the end."""
    port = port or free_port()
    command = [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}", *flags]
    with TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for(process, port, log, probe)
            yield Server(port, process, log)
        finally:
            stop(process)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(server: subprocess.Popen[bytes], port: int, log: IO[bytes], probe: str) -> None:
    """Returns when the server answers. Raises RuntimeError with its log when it ends or takes too long."""
    end = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < end:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", probe)
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    log.seek(0)
    raise RuntimeError(f"gunicorn did not start:\n{log.read().decode(errors='replace')}")


def stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
