"""How gunicorn starts and listens on an ordinary host and on odd ones."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from http.client import HTTPConnection

import pytest

from bench.server import free_port, gunicorn, stop, wait_for
from tests.house.starting import ROOT
from voicechat import listening
from voicechat.listening import KEEP_ALIVE, MEMORY, addresses, heartbeat_folder

MOST_SECONDS = 60
EVERYWHERE = "0.0.0.0"  # noqa: S104  # it is only compared with
LONGEST_OF_A_PROXY = 120  # Caddy's; nginx and Amazon's keep a connection to us for 60 s, Traefik for 90


@pytest.fixture
def environment(tmp_path):
    return {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", "WEB_CONCURRENCY": "1"}


@pytest.fixture
def server(environment):
    with gunicorn("voicechat.wsgi", [], environment, "/healthz") as server:
        yield server


WEB = shlex.split(dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())["web"])


def start(environment, *command, **streams):
    """What a start that fails comes to."""
    return subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, *(command or ("-m", "gunicorn", "voicechat.wsgi"))],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=MOST_SECONDS,
        **streams,
    )


def test_both_kinds_of_address_are_listened_to_where_the_machine_has_both(environment):
    if not listening.has_ipv6():
        pytest.skip("no IPv6 here")
    port = free_port()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # our own interpreter
            [sys.executable, "-m", "gunicorn", "voicechat.wsgi"],
            cwd=ROOT,
            env={**environment, "PORT": str(port)},
            stdout=log,
            stderr=log,
        )
        try:
            wait_for(process, port, log, "/healthz")
            for host in ("127.0.0.1", "::1"):
                socket.create_connection((host, port), timeout=5).close()
        finally:
            stop(process)


@pytest.mark.parametrize(
    ("host", "bound"), [("127.0.0.1", ["127.0.0.1:3300"]), ("::1", ["[::1]:3300"]), ("::", ["[::]:3300"])]
)
def test_host_says_which_one_it_is(host, bound):
    assert addresses(host, 3300) == bound


def test_without_ipv6_it_is_ipv4_alone(monkeypatch):
    monkeypatch.setattr(listening, "has_ipv6", lambda: False)
    assert [each.rpartition(":")[0] for each in addresses("", 3300)] == [EVERYWHERE]


def test_a_machine_that_keeps_them_apart_has_both_named(monkeypatch):
    monkeypatch.setattr(listening, "has_ipv6", lambda: True)
    monkeypatch.setattr(listening, "is_for_both", lambda: False)
    assert addresses("", 3300) == ["[::]:3300", f"{EVERYWHERE}:3300"]


def test_a_connection_stays_open_longer_than_a_proxys_and_says_how_long(server):
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", "/healthz")
    answer = connection.getresponse()
    answer.read()
    assert answer.headers["Keep-Alive"] == f"timeout={KEEP_ALIVE - 2}"
    assert KEEP_ALIVE - 2 > LONGEST_OF_A_PROXY
    connection.request("GET", "/healthz", headers={"Connection": "close"})
    last = connection.getresponse()
    last.read()
    assert (last.status, last.headers["Keep-Alive"]) == (200, None)
    connection.close()


def test_a_proxys_headers_that_disagree_are_no_page_of_gunicorns(server):
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", "/healthz", headers={"X-Forwarded-Proto": "http", "X-Forwarded-Ssl": "on"})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b'{"status": "ok"}')
    connection.close()


def test_what_is_wrong_in_the_environment_stands_alone(environment):
    wrong = {**environment, "PORT": "x", "CALL_RATE": "y"}
    served = start(wrong)
    asked = subprocess.run(  # our own interpreter
        [sys.executable, "manage.py", "migrate"], cwd=ROOT, env=wrong, capture_output=True, text=True, check=False
    )
    for ended in (served, asked):
        assert ended.returncode == 1
        assert [line[:8] for line in ended.stderr.splitlines()] == ["The envi", "  - PORT", "  - CALL"]


@pytest.mark.parametrize("number", ["auto", "1.5", "0", "-1"])
def test_a_number_of_processes_that_is_none_hides_no_other_fault(environment, number):
    odd = {"WEB_CONCURRENCY": number, "PORT": "abc", "HOST": "a b", "GUNICORN_CMD_ARGS": "--nonsense '"}
    ended = start({**environment, **odd}, *WEB[1:])
    assert ended.returncode == 1
    first, *faults = ended.stderr.splitlines()
    assert first.startswith("The environment cannot be used")
    assert [fault.split()[1] for fault in faults] == ["PORT", "HOST", "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS"]


def test_a_flag_that_gunicorn_does_not_know_is_told_by_it(environment):
    ended = start({**environment, "GUNICORN_CMD_ARGS": "--nonsense"}, *WEB[1:])
    assert ended.stderr.splitlines()[-1] == "gunicorn: error: unrecognized arguments: --nonsense"


def test_what_the_host_starts_is_gunicorn_itself_with_its_flags(environment):
    """An empty number is an unset one, and the signal to end reaches it."""
    port = free_port()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter
            [sys.executable, *WEB[1:], "--bind", f"127.0.0.1:{port}"],
            cwd=ROOT,
            env={**environment, "WEB_CONCURRENCY": ""},
            stdout=log,
            stderr=log,
        )
        try:
            wait_for(process, port, log, "/healthz")
            process.send_signal(signal.SIGTERM)
            assert process.wait(MOST_SECONDS) == 0
        finally:
            stop(process)


def test_where_standard_output_goes_may_be_full(environment):
    port = free_port()
    with open("/dev/full", "w") as full, tempfile.TemporaryFile() as log:  # noqa: PTH123  # a device
        process = subprocess.Popen(  # noqa: S603  # our own interpreter
            [sys.executable, "-m", "gunicorn", "voicechat.wsgi", "--bind", f"127.0.0.1:{port}"],
            cwd=ROOT,
            env=environment,
            stdout=full,
            stderr=log,
        )
        try:
            wait_for(process, port, log, "/healthz")
        finally:
            stop(process)


def test_a_worker_shows_that_it_lives_in_memory():
    assert heartbeat_folder() == MEMORY


def test_without_that_it_is_the_usual_folder_and_without_any_an_error(monkeypatch):
    monkeypatch.setattr(listening, "MEMORY", "/nowhere")
    assert heartbeat_folder() is None
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere"])
    with pytest.raises(FileNotFoundError):
        heartbeat_folder()
