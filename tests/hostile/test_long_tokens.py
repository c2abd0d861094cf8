"""Tokens that grew long, since an issuer writes a person's groups into them, at gunicorn as it serves the product."""

import os
from http.client import HTTPConnection
from pathlib import Path
from time import time

import pytest
from django.conf import settings

from bench.database import manage
from bench.server import gunicorn
from users.sign_in.local_issuer import LocalIssuer

LONGEST = 16 * 1024
NGINX = Path(settings.BASE_DIR) / "deploy" / "nginx.conf"


def token(length):
    """A sign-in of about this many characters."""
    now, groups = int(time()), ["g" * 46] * (length // 66)
    return LocalIssuer().sign({"sub": "local|1", "iat": now, "exp": now + 600, "groups": groups})


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('tokens')}/db.sqlite3"
    environment = {**os.environ, "DATABASE_URL": url, "SIGN_IN": "on", "SECRET_KEY": settings.SECRET_KEY}
    manage(environment, "migrate", "--noinput", "--verbosity", "0")
    with gunicorn("voicechat.wsgi", ["--workers", "1"], environment, probe="/healthz") as server:
        yield server.port


def ask(port, header):
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/api/users", headers={"Authorization": f"Bearer {header}"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("length", [9_000, 10_240, LONGEST - 100])
def test_a_long_token_is_read(port, length):
    long = token(length)
    assert 0 <= LONGEST - len(long) < LONGEST - length + 500
    status, body = ask(port, long)
    assert (status, b'"not_signed_up"' in body) == (403, True)  # believed, and nobody's


def test_a_header_without_end_is_refused_before_anybody_reads_it(port):
    assert ask(port, "a" * 100_000)[0] == 431


def test_the_proxy_lets_through_what_the_server_reads():
    assert "large_client_header_buffers 4 20k;" in NGINX.read_text()
