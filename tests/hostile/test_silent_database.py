"""A host of the database that falls silent: its connections stay open, and nothing is answered."""

import os
import socket
import time
from http.client import HTTPConnection

import pytest
from django.db import connection

from bench.server import gunicorn
from voicechat.env import Env

MOST_SECONDS = 10


@pytest.fixture
def port():
    """A server whose database takes every connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgres://u@127.0.0.1:{silent.getsockname()[1]}/n"
        flags = ["--workers", "1", "--threads", "4"]
        with gunicorn("voicechat.wsgi", flags, {**os.environ, "DATABASE_URL": url}, probe="/healthz") as server:
            yield server.port


def test_it_is_503_within_ten_seconds(port):
    asked = [HTTPConnection("127.0.0.1", port, timeout=30) for _ in range(3)]
    begun = time.monotonic()
    for each, path in zip(asked, ("/api/users", "/readyz", "/api/groups/1/callStatus"), strict=True):
        each.request("GET", path)
    answers = [each.getresponse() for each in asked]
    assert [(answer.status, answer.headers["Retry-After"]) for answer in answers] == [(503, "2")] * 3
    assert time.monotonic() - begun < MOST_SECONDS
    for each in asked:
        each.close()


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
