"""A host of the database that falls silent: its connections stay open, and nothing is answered.

Worse than a cut cable, for each byte that it is sent is still confirmed: as of a machine whose processes are frozen.
"""

import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from tests.doubles.silent_host import SilentHost
from tests.served import Door, address, served
from voicechat.env import Env

MOST_SECONDS = 10
DOORS = [
    ("GET", "/api/users"),
    ("GET", "/api/groups/1/callStatus"),
    ("GET", "/api/users/1/statement"),
    ("GET", "/api/voice/makeCall?to=1"),
    ("POST", "/api/voice/dialIn/pin?Digits=31415926"),
    ("POST", "/api/voice/ringAnswer?leg=1&asked=1&Digits=1"),
    ("POST", "/api/voice/keypad?CallSid=CA1&CallStatus=completed"),
    ("GET", "/admin/login/?next=/admin/"),
    ("GET", "/readyz"),
]


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
    assert {each.status for each in door.ask_all([("GET", "/api/users")] * 8)} == {200}
    return door


def test_a_host_that_takes_a_connection_and_says_nothing_is_503_within_ten_seconds():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgres://u@127.0.0.1:{silent.getsockname()[1]}/n"
        with served(url) as server:
            answers = Door(server.port).ask_all([("GET", "/api/users"), ("GET", "/readyz")])
    assert [(each.status, each.wait) for each in answers] == [(503, "2")] * 2
    assert max(each.seconds for each in answers) < MOST_SECONDS


def test_every_door_says_so_within_ten_seconds_and_it_heals(host, door):
    host.fall_silent()
    answers = dict(zip(DOORS, door.ask_all(DOORS), strict=True))
    assert [door for door, answer in answers.items() if answer.seconds >= MOST_SECONDS] == []
    assert {door: answer.status for door, answer in answers.items() if answer.status != 503 or not answer.wait} == {
        ("GET", "/api/voice/makeCall?to=1"): 200,  # Twilio is told what to say to the caller
        ("POST", "/api/voice/dialIn/pin?Digits=31415926"): 200,  # as above
        ("POST", "/api/voice/ringAnswer?leg=1&asked=1&Digits=1"): 200,
        ("POST", "/api/voice/keypad?CallSid=CA1&CallStatus=completed"): 200,
        ("GET", "/admin/login/?next=/admin/"): 200,  # has nothing to ask the database
    }
    host.speak()
    end = time.monotonic() + MOST_SECONDS
    while (healed := door.ask("GET", "/api/users").status) != 200 and time.monotonic() < end:
        time.sleep(0.2)
    assert healed == 200


def test_while_it_is_silent_the_process_goes_on_living_however_many_ask(host, door):
    host.fall_silent()
    with ThreadPoolExecutor(30) as pool:
        polls = [pool.submit(door.ask, "GET", "/api/users") for _ in range(30)]
        time.sleep(0.5)
        lives = door.ask("GET", "/healthz")
        answers = [poll.result() for poll in polls]
    assert lives.status == 200
    assert max(each.seconds for each in [lives, *answers]) < MOST_SECONDS
    assert {each.status for each in answers} == {503}
    assert door.ask("GET", "/healthz").seconds < 1


@pytest.mark.parametrize("at", [b"INSERT INTO", b"COMMIT"])
def test_silence_in_the_middle_of_a_request_is_503(host, door, at):
    host.fall_silent(at=at)
    json = {"Content-Type": "application/json"}
    answer = door.ask("POST", "/api/users", b'{"email": "e@example.com"}', **json)
    assert (answer.status, answer.wait) == (503, "2")
    assert answer.seconds < MOST_SECONDS
    assert host.is_silent.is_set()


@pytest.mark.parametrize("at", [b"\x04\xd2\x16\x2f", b"user\x00", b"statement_timeout"])
def test_silence_while_a_connection_is_made_is_503(host, at):
    """At the request for TLS, at the greeting, and at what is settled after it."""
    host.fall_silent(at=at)
    with served(address(host.port)) as server:
        answer = Door(server.port).ask("GET", "/api/users")
    assert (answer.status, answer.wait) == (503, "2")
    assert answer.seconds < MOST_SECONDS


def test_the_operators_page_says_so_too(host, door):
    host.fall_silent(at=b"django_session")
    answer = door.ask("GET", "/admin/", Cookie="sessionid=abcdefghijklmnopqrstuvwxyz012345")
    assert (answer.status, answer.wait) == (503, "2")
    assert answer.seconds < MOST_SECONDS


def test_the_server_ends_when_it_is_told_to(host, server, door):
    host.fall_silent()
    with ThreadPoolExecutor(8) as pool:
        polls = [pool.submit(door.ask, "GET", "/api/users") for _ in range(4)]
        time.sleep(0.5)
        begun = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(20)
        assert time.monotonic() - begun < MOST_SECONDS + 2
        assert {poll.result().status for poll in polls} == {503}


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
