"""nginx in front, as `deploy/nginx.conf` has it; where nginx itself is installed, tried with it."""

import json
import re
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from bench.server import free_port, stop
from tests.hostile.server import PROBLEM
from tests.house.starting import ROOT

SITE = (ROOT / "deploy" / "nginx.conf").read_text()
ORIGIN = {"Origin": "https://app.example.com"}


def listed(header):
    return re.findall(rf'add_header {header} "([^"]*)"', SITE)


def test_what_nginx_says_by_itself_is_a_problem_as_the_applications_are():
    said = [json.loads(each) for each in re.findall(r"return \d+ '([^']*)'", SITE)]
    assert [each["status"] for each in said] == [413, 429, 502, 504]
    assert all(sorted(each) == sorted(PROBLEM) for each in said)
    assert listed("Access-Control-Allow-Origin") == ["*"] * 4


def test_its_answer_before_a_request_names_what_the_application_allows(settings):
    assert listed("Access-Control-Allow-Methods") == [", ".join(settings.CORS_ALLOW_METHODS)]
    assert listed("Access-Control-Allow-Headers") == [", ".join(settings.CORS_ALLOW_HEADERS)]


def test_a_connection_is_kept_for_a_phones_pause_and_says_so():
    assert "keepalive_timeout 80s 75s;" in SITE


@pytest.fixture
def program():
    found = shutil.which("nginx", path=f"{Path('/usr/sbin')}:{Path('/usr/local/sbin')}:{Path('/usr/bin')}")
    if found is None:
        pytest.skip("nginx is not installed")
    return found


@contextmanager
def nginx(program, backend):
    """The site, without TLS, before this port."""
    port = free_port()
    site = re.sub(r"server \{\n    listen 80;.*?\n\}\n", "", SITE, flags=re.DOTALL)
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
        process = subprocess.Popen([program, "-p", folder, "-c", f"{folder}/conf", "-e", f"{folder}/log"])  # noqa: S603
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


def asked(port, method, body=None):
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, "/api/users", body, {**ORIGIN, "Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.headers, text


def test_a_page_reads_what_nginx_says(program):
    with nginx(program, free_port()) as port:
        for status, body in ((502, b"{}"), (413, bytes(11 * 1024 * 1024))):
            found, headers, text = asked(port, "POST", body)
            assert (found, json.loads(text)["status"]) == (status, status)
            assert headers["Content-Type"] == "application/problem+json"
            assert headers.get_all("Access-Control-Allow-Origin") == ["*"]
        found, headers, _ = asked(port, "OPTIONS")
        assert (found, headers["Access-Control-Allow-Origin"]) == (204, "*")
