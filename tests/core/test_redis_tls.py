"""Redis by TLS with a certificate of its own, as hosting platforms have it."""

import shutil
import socket
import subprocess
import time
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.core.cache import cache

from bench.pgbouncer.certificate import write_certificate
from bench.server import free_port, stop
from core.throttle import Throttle
from voicechat.env import Env
from voicechat.startup import start_lines


@pytest.fixture
def place(tmp_path):
    """(port, the certificate's file)"""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    write_certificate(tmp_path)
    port, file = free_port(), tmp_path / "certificate"
    flags = {"port": 0, "tls-port": port, "tls-cert-file": file, "tls-key-file": tmp_path / "key", "save": '""'}
    flags.update({"tls-auth-clients": "no", "bind": "127.0.0.1", "dir": tmp_path})
    command = [program, *(part for name, value in flags.items() for part in (f"--{name}", str(value)))]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port, file
    finally:
        stop(process)


@pytest.fixture
def redis(place, settings):
    """Makes it the cache, by what stands behind its address's question mark."""

    def redis(options):
        url = f"rediss://127.0.0.1:{place[0]}/0?{options}"
        settings.CACHES = {"default": Env({"REDIS_URL": url}).cache("REDIS_URL")}

    return redis


class Once(Throttle):
    scope = "uploads"

    def covers(self, view):
        return True

    def get_cache_key(self, request):
        return self.key


@pytest.fixture
def ask(settings, monkeypatch):
    settings.THROTTLE_UPLOADS = (1, 60)
    monkeypatch.setattr(Once, "key", uuid4().hex, raising=False)
    return lambda: Once().allow_request(None, None)


def test_why_it_is_not_reached_is_logged_and_said_at_the_start(db, redis, ask, caplog):
    redis("")
    assert ask()
    assert "its certificate is not accepted, self-signed certificate" in caplog.text
    lines = "\n".join(start_lines())
    assert "WARNING: REDIS_URL fails (ConnectionError: its certificate is not accepted" in lines
    assert "ssl_ca_certs=" in lines
    assert "ssl_cert_reqs=none" in lines


@pytest.mark.parametrize("options", ["ssl_ca_certs={}", "ssl_cert_reqs=none"])
def test_what_the_papers_say_makes_it_work(db, redis, place, options):
    redis(options.format(quote(str(place[1]))))
    cache.set("a", 1)
    assert cache.get("a") == 1
    assert "WARNING: REDIS_URL" not in "\n".join(start_lines())
