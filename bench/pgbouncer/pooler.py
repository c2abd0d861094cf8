"""A PgBouncer of this run's own, in a temporary folder. https://www.pgbouncer.org/config.html"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote

import psycopg2

from bench.chaos.cluster import USER
from bench.pgbouncer.certificate import write_certificate
from bench.server import free_port, stop

MISSING = "PgBouncer's program is needed: install the Debian package `pgbouncer`."
START_SECONDS = 10
AT_FIRST = "'SET statement_timeout = ''7s''; SET lock_timeout = ''5s'''"  # as docs/operating.md says it
SETTINGS = """
[databases]
* = host={host} port={port} user='{user}'{password} connect_query={at_first}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 100
query_wait_timeout = 30
server_login_retry = 1
client_tls_sslmode = require
client_tls_cert_file = {folder}/certificate
client_tls_key_file = {folder}/key
"""


class MissingError(Exception):
    """What is to be installed."""


@contextmanager
def pooler(server: SplitResult, name: str) -> Iterator[str]:
    """Gives the address of a database through it. Stopped at the end, by its process. Raises MissingError."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise MissingError(MISSING)
    with tempfile.TemporaryDirectory(prefix="pgbouncer") as made:
        folder, port = Path(made), free_port()
        write_certificate(folder)
        (folder / "ini").write_text(settings(server, folder, port))
        process = start(program, folder)
        try:
            url = f"postgres://{USER}@127.0.0.1:{port}/{{}}?sslmode=verify-full&sslrootcert={quote(f'{folder}/certificate')}"
            wait_for(process, url.format(USER), folder)
            yield f"{url.format(name)}&pool=transaction"
        finally:
            stop(process)


def settings(server: SplitResult, folder: Path, own_port: int) -> str:
    places = {"host": server.hostname or "127.0.0.1", "port": server.port or 5432, "user": server.username or USER}
    secret = unquote(server.password or "").replace("'", "''")
    password = f" password='{secret}'" if secret else ""  # an empty one is an error to PgBouncer
    return SETTINGS.format(**places, password=password, at_first=AT_FIRST, folder=folder, own_port=own_port)


def start(program: str, folder: Path) -> subprocess.Popen[bytes]:
    """It does not run as root: then as the user of PostgreSQL, who comes with the package."""
    as_user = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
    if as_user:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, USER, USER)
    with (folder / "log").open("w") as log:
        return subprocess.Popen([program, f"{folder}/ini"], stdout=log, stderr=log, **as_user)


def wait_for(process: subprocess.Popen[bytes], url: str, folder: Path) -> None:
    """Returns when it lets somebody in. Raises RuntimeError with its log when it ends or takes too long."""
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            psycopg2.connect(url).close()
        except psycopg2.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"PgBouncer did not start:\n{(folder / 'log').read_text()[-3000:]}")
