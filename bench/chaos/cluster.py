"""A PostgreSQL of this run's own, made to be crashed: by initdb, in a temporary folder, on a free loopback port.

PostgreSQL does not run as root: then the user `postgres`, who comes with the package, owns the folder and runs it.
"""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.server import free_port

USER = "postgres"
MISSING = "PostgreSQL's own programs are needed, initdb and pg_ctl: install the Debian package `postgresql`."
SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
fsync = on
synchronous_commit = on
"""


class MissingError(Exception):
    """What is to be installed."""


@dataclass(frozen=True)
class Cluster:
    folder: Path
    programs: Path
    url: str

    def start(self) -> None:
        """Returns when it accepts connections."""
        self.control("start")

    def stop(self, mode: str) -> None:
        """`fast` breaks all connections and writes what is in memory; `immediate` is a crash."""
        self.control("stop", "-m", mode)

    def control(self, *arguments: str) -> None:
        log = self.folder / "log"
        command = [f"{self.programs}/pg_ctl", *arguments, "-w", "-D", f"{self.folder}/data", "-l", f"{log}"]
        if run(command, self.folder).returncode:  # what it prints is in the log
            raise RuntimeError(f"PostgreSQL: {' '.join(arguments)} failed:\n{log.read_text()[-3000:]}")


@contextmanager
def temporary_cluster() -> Iterator[Cluster]:
    """Started; stopped and gone at the end. Raises MissingError."""
    programs, port, password = find_programs(), free_port(), secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="chaos", ignore_cleanup_errors=True) as name:
        cluster = Cluster(Path(name), programs, f"postgres://{USER}:{password}@127.0.0.1:{port}/{USER}")
        make(cluster, password, port)
        cluster.start()
        try:
            yield cluster
        finally:
            with suppress(RuntimeError):  # it is down
                cluster.stop("immediate")


def make(cluster: Cluster, password: str, port: int) -> None:
    secret = cluster.folder / "password"
    secret.write_text(password)
    if os.geteuid() == 0:
        shutil.chown(cluster.folder, USER)
        shutil.chown(secret, USER)
    options = ["-U", USER, "--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--no-locale", "--no-sync"]
    run([f"{cluster.programs}/initdb", "-D", f"{cluster.folder}/data", *options], cluster.folder).check_returncode()
    with (cluster.folder / "data" / "postgresql.conf").open("a") as conf:
        conf.write(SETTINGS.format(port=port))


def find_programs() -> Path:
    """Their folder: the PATH's, or else the newest version's of Debian, which keeps them off the PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    folders += [Path(found).resolve().parent for found in [shutil.which("pg_ctl")] if found]
    whole = [folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()]
    if not whole:
        raise MissingError(MISSING)
    if os.geteuid() == 0 and subprocess.run(["id", USER], check=False, capture_output=True).returncode:
        raise MissingError(f"PostgreSQL does not run as root, and there is no user {USER}. {MISSING}")
    return whole[-1]


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Nothing is captured: the server that it starts would keep the pipe open."""
    as_user = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    return subprocess.run([*as_user, *command], cwd=folder, check=False, stdout=subprocess.DEVNULL)
