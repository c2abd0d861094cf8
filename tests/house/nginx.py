"""nginx with the site of `deploy/nginx.conf`, where it is installed."""

import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.server import free_port, stop
from tests.house.starting import ROOT

SITE = (ROOT / "deploy" / "nginx.conf").read_text()


def program() -> str:
    """Skips the test where there is none."""
    found = shutil.which("nginx", path=f"{Path('/usr/sbin')}:{Path('/usr/local/sbin')}:{Path('/usr/bin')}")
    if found is None:
        pytest.skip("nginx is not installed")
    return found


@contextmanager
def nginx(backend: int, site: str = SITE) -> Iterator[int]:
    """The site, without TLS, before this port."""
    nginx, port = program(), free_port()
    site = re.sub(r"server \{\n    listen 80;.*?\n\}\n", "", site, flags=re.DOTALL)
    site = re.sub(r"\n    (listen|ssl_\w+|access_log|error_log) [^\n]*", "", site)
    site = re.sub(r"server_name", f"listen 127.0.0.1:{port};\n    server_name", site, count=1)
    site = site.replace("http://127.0.0.1:3300", f"http://127.0.0.1:{backend}")
    with tempfile.TemporaryDirectory() as folder:
        paths = "".join(
            f"{each}_temp_path {folder}/{each};\n" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        Path(folder, "conf").write_text(
            f"daemon off; pid {folder}/pid; error_log {folder}/log; events {{}}\n"
            f"http {{ access_log off; default_type text/plain;\n{paths}{site}\n}}"
        )
        process = subprocess.Popen([nginx, "-p", folder, "-c", f"{folder}/conf", "-e", f"{folder}/log"])  # noqa: S603
        try:
            for _ in range(100):
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield port
        finally:
            stop(process)
