"""A host of the database that falls silent: its connections stay open, and nothing is answered.

Worse than a cut cable, for each byte that it is sent is still confirmed: as of a machine whose processes are frozen.
"""

import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from urllib.parse import quote

import pytest
from django.db import connection

from bench.server import gunicorn
from tests.doubles.silent_host import SilentHost
from voicechat.env import Env

MOST_SECONDS = 10
FLAGS = ["--workers", "1", "--threads", "4"]
DOORS = [
    ("GET", "/api/users"),
    ("GET", "/api/groups/1/callStatus"),
    ("GET", "/api/users/1/statement"),
    ("GET", "/api/voice/makeCall?to=1"),
    ("GET", "/admin/login/?next=/admin/"),
    ("GET", "/readyz"),
]


class Door:
    """What is asked of a server, each time on a connection of its own."""

    def __init__(self, port):
        self.port = port

    def ask(self, method, path, body=b"", **headers):
        """(status, Retry-After, seconds)"""
        begun = time.monotonic()
        asked = HTTPConnection("127.0.0.1", self.port, timeout=40)
        asked.request(method, path, body, headers)
        answer = asked.getresponse()
        answer.read()
        asked.close()
        return answer.status, answer.headers["Retry-After"], time.monotonic() - begun

    def ask_all(self, doors):
        with ThreadPoolExecutor(len(doors)) as pool:
            return [*pool.map(lambda door: self.ask(*door), doors)]


@contextmanager
def served(url, flags=FLAGS, probe="/healthz", **environment):
    with gunicorn("voicechat.wsgi", flags, {**os.environ, **environment, "DATABASE_URL": url}, probe) as server:
        yield server


def address(port, **options):
    """The tests' own database, at another port."""
    made = connection.settings_dict
    known = quote(made["USER"]) + (f":{quote(made['PASSWORD'])}" if made["PASSWORD"] else "")
    url = f"postgres://{known}@127.0.0.1:{port}/{made['NAME']}"
    return url + ("?" if options else "") + "&".join(f"{name}={quote(value)}" for name, value in options.items())


@pytest.fixture
def host(transactional_db, on_postgresql):
    made = connection.settings_dict
    if made["HOST"].startswith("/") or made["OPTIONS"].get("sslmode"):
        pytest.skip("the host stands between the server and a database that it reaches over plain TCP")
    with SilentHost((made["HOST"] or "127.0.0.1", int(made["PORT"] or 5432))) as host:
        yield host


@pytest.fixture
def server(host):
    with served(address(host.port)) as server:
        yield server


@pytest.fixture
def door(server):
    """A server that has a connection in each of its threads."""
    door = Door(server.port)
    assert {status for status, _, _ in door.ask_all([("GET", "/api/users")] * 8)} == {200}
    return door


def test_a_host_that_takes_a_connection_and_says_nothing_is_503_within_ten_seconds():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgres://u@127.0.0.1:{silent.getsockname()[1]}/n"
        with served(url) as server:
            answers = Door(server.port).ask_all([("GET", "/api/users"), ("GET", "/readyz")])
    assert [(status, wait) for status, wait, _ in answers] == [(503, "2")] * 2
    assert max(seconds for _, _, seconds in answers) < MOST_SECONDS


def test_every_door_says_so_within_ten_seconds_and_it_heals(host, door):
    host.fall_silent()
    answers = dict(zip(DOORS, door.ask_all(DOORS), strict=True))
    assert {each: seconds for each, (_, _, seconds) in answers.items() if seconds >= MOST_SECONDS} == {}
    assert {each: (status, wait) for each, (status, wait, _) in answers.items() if status != 503 or not wait} == {
        ("GET", "/api/voice/makeCall?to=1"): (200, None),  # Twilio is told what to say to the caller
        ("GET", "/admin/login/?next=/admin/"): (200, None),  # has nothing to ask the database
    }
    host.speak()
    end = time.monotonic() + MOST_SECONDS
    while (healed := door.ask("GET", "/api/users")[0]) != 200 and time.monotonic() < end:
        time.sleep(0.2)
    assert healed == 200


def test_while_it_is_silent_the_process_goes_on_living_however_many_ask(host, door):
    host.fall_silent()
    with ThreadPoolExecutor(30) as pool:
        polls = [pool.submit(door.ask, "GET", "/api/users") for _ in range(30)]
        time.sleep(0.5)
        lives = door.ask("GET", "/healthz")
        answers = [poll.result() for poll in polls]
    assert lives[0] == 200
    assert max(seconds for _, _, seconds in [lives, *answers]) < MOST_SECONDS
    assert {status for status, _, _ in answers} == {503}
    assert door.ask("GET", "/healthz")[2] < 1


@pytest.mark.parametrize("at", [b"INSERT INTO", b"COMMIT"])
def test_silence_in_the_middle_of_a_request_is_503(host, door, at):
    host.fall_silent(at=at)
    json = {"Content-Type": "application/json"}
    status, wait, seconds = door.ask("POST", "/api/users", b'{"email": "e@example.com"}', **json)
    assert (status, wait) == (503, "2")
    assert seconds < MOST_SECONDS
    assert host.is_silent.is_set()


@pytest.mark.parametrize("at", [b"\x04\xd2\x16\x2f", b"user\x00"])
def test_silence_while_a_connection_is_made_is_503(host, at):
    """At the request for TLS, and after it."""
    host.fall_silent(at=at)
    with served(address(host.port)) as server:
        status, wait, seconds = Door(server.port).ask("GET", "/api/users")
    assert (status, wait) == (503, "2")
    assert seconds < MOST_SECONDS


def test_the_operators_page_says_so_too(host, door):
    host.fall_silent(at=b"django_session")
    status, wait, seconds = door.ask("GET", "/admin/", Cookie="sessionid=abcdefghijklmnopqrstuvwxyz012345")
    assert (status, wait) == (503, "2")
    assert seconds < MOST_SECONDS


def test_the_server_ends_when_it_is_told_to(host, server, door):
    host.fall_silent()
    with ThreadPoolExecutor(8) as pool:
        polls = [pool.submit(door.ask, "GET", "/api/users") for _ in range(4)]
        time.sleep(0.5)
        begun = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(20)
        assert time.monotonic() - begun < MOST_SECONDS + 2
        assert {poll.result()[0] for poll in polls} == {503}


def test_a_connection_that_is_made_is_given_up_when_nothing_is_confirmed(db, on_postgresql):
    given = Env({"URL": "postgres://u@h/n"}).database("URL", "")["OPTIONS"]
    with socket.socket(fileno=os.dup(connection.connection.fileno())) as made:
        if made.family == socket.AF_UNIX:
            pytest.skip("a socket of this machine has no silence to fear")
        kept = {
            "tcp_user_timeout": made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
            "keepalives": made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            "keepalives_idle": made.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
            "keepalives_interval": made.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
            "keepalives_count": made.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
        }
    assert {"connect_timeout": "3", **{name: str(value) for name, value in kept.items()}} == given
