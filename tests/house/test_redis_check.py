"""Redis that does not answer: the server goes on, and whoever watches it is told."""

import socket
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest
from django.core.cache import caches

from tests.house.test_serving import bearer
from users.models import User
from voicechat import redis_check
from voicechat.env import Env
from voicechat.redis_check import RedisCheck

ANSWERS = {b"GET": b"_\r\n", b"HELLO": b"%1\r\n$5\r\nproto\r\n:3\r\n"}


class Redis(StreamRequestHandler):
    """As much of one as a client's greeting and a GET need: it has nothing."""

    def handle(self):
        while line := self.rfile.readline():
            words = [self.word() for _ in range(int(line[1:]))]
            self.wfile.write(ANSWERS.get(words[0], b"+OK\r\n"))

    def word(self):
        self.rfile.readline()
        return self.rfile.readline().strip()


@pytest.fixture
def port():
    """One at which nobody listens."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        return nobody.getsockname()[1]


@pytest.fixture
def redis(settings, monkeypatch, port):
    """Starts it where REDIS_URL says that it is; until then it is not there."""
    settings.CACHES = {"default": Env({"REDIS_URL": f"redis://127.0.0.1:{port}/0"}).cache("REDIS_URL")}
    monkeypatch.setattr("voicechat.health.redis_check", RedisCheck())
    servers = []

    def start():
        server = ThreadingTCPServer(("127.0.0.1", port), Redis)
        server.daemon_threads = True
        servers.append(server)
        Thread(target=server.serve_forever, daemon=True).start()

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
    caches["default"]._cache.get_client(write=True).connection_pool.disconnect()


def test_it_is_ready_all_the_same_and_staff_read_that_redis_fails(client, alice, sign_in, redis):
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    answer = client.get("/readyz", headers=bearer(alice.email))
    assert (answer.status_code, answer.json()["redis"]) == (200, "unreachable")


def test_strangers_read_nothing_of_it_and_the_log_says_it_once(client, db, sign_in, redis, log):
    for _ in range(3):
        assert (client.get("/readyz").status_code, client.get("/readyz").json()) == (200, {"status": "ok"})
    (line,) = log.named("voicechat.redis_check")
    assert line["level"] == "WARNING"
    assert line["message"].startswith("Redis fails (ConnectionError: ")


def test_its_return_is_told_too(client, db, redis, monkeypatch, log):
    monkeypatch.setattr(redis_check, "EVERY", 0)
    assert client.get("/readyz").json()["redis"] == "unreachable"
    redis()
    assert client.get("/readyz").json()["redis"] == "ok"
    assert log.named("voicechat.redis_check")[-1]["message"].startswith("Redis answers again")
