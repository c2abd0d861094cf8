"""A worker ends while pages follow and poll: no request fails, and whoever comes again has missed nothing."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from socket import create_connection
from threading import Event
from time import monotonic, sleep

import pytest

from tests.live.served import SECONDS, Person, by_hand
from tests.live.test_streams import activities
from tests.served import FLAGS, served

pytestmark = pytest.mark.django_db  # whose database is copied
POLLERS, STREAMS = 4, 6
AT_ONCE = 10
"""Seconds, on a busy machine. The server itself would wait three times as long for who is there still."""


@contextmanager
def polling(person, path):
    """Gives the statuses, as they come. Raises what a request has failed by."""
    statuses, is_enough = [], Event()

    def poll():
        connection = HTTPConnection("127.0.0.1", person.port, timeout=SECONDS)
        while not is_enough.is_set():
            connection.request("GET", path, headers={"Authorization": f"Bearer {person.token}"})
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
            sleep(0.02)
        connection.close()

    with ThreadPoolExecutor(POLLERS) as pool:
        polls = [pool.submit(poll) for _ in range(POLLERS)]
        try:
            yield statuses
        finally:
            is_enough.set()
        for each in polls:
            each.result()


def follows_again(person, place):
    """A worker that ends says no more than when to come again."""
    while True:
        stream = person.follows(place)
        assert stream.status == 200
        if stream.read() and (stream.events or stream.read()):
            return stream
        assert stream.is_over
        stream.close()
        sleep(0.2)


def test_workers_are_replaced_and_nothing_is_lost(server, family):
    streams = [family.bob.follows() for _ in range(STREAMS)]
    for stream in streams:
        stream.hears("ready")
    before = family.alice.writes(family.group, "sang")
    family.alice.connection.close()
    with polling(family.bob, f"/api/groups/{family.group}/callStatus") as statuses:
        os.kill(server.process.pid, signal.SIGHUP)
        heard = [activities(stream.ends()) for stream in streams]
        for stream in streams:
            assert (stream.is_over, stream.rest) == (True, b"")
            stream.close()
        missed = family.alice.writes(family.group, "danced")
        family.alice.connection.close()
        again = [follows_again(family.bob, stream.place) for stream in streams]
        written = family.alice.writes(family.group, "slept")
        for stream, first in zip(again, heard, strict=True):
            rest = activities(stream.hears("activity", activity=told(family, written)))
            assert first + rest == [before, missed, written]
            stream.close()
    assert {*statuses} == {200}


def test_who_is_looked_for_while_the_worker_leaves_is_ended_too(on_postgresql, server, family, url):
    with by_hand(url) as watching, by_hand(url, is_committed=False) as locking:
        family.alice.ask("GET", "/healthz")  # over a connection that is kept, and says when the worker leaves
        locking.execute('LOCK TABLE "everyGroup" IN ACCESS EXCLUSIVE MODE')  # of all that is asked here a look needs it
        with family.bob.follows() as stream:
            wait_until(lambda: is_waited_for(watching))
            os.kill(server.process.pid, signal.SIGHUP)
            wait_until(lambda: family.alice.ask("GET", "/healthz").headers["Connection"] == "close")
            begun = monotonic()
            locking.connection.rollback()
            stream.ends()
            assert stream.is_over
            assert monotonic() - begun < AT_ONCE


def wait_until(is_so):
    end = monotonic() + SECONDS
    while not is_so():
        assert monotonic() < end
        sleep(0.02)


def is_waited_for(cursor):
    cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '\"everyGroup\"'::regclass")
    return cursor.fetchone() != (0,)


def test_a_body_that_does_not_come_holds_a_worker_no_longer_than_gunicorn_was_told(url):
    asked = b"POST /api/groups HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 99\r\n\r\n"
    with (
        served(url, [*FLAGS, "--graceful-timeout", "1"]) as server,
        create_connection(("127.0.0.1", server.port), timeout=SECONDS) as slow,
    ):
        slow.sendall(asked)
        assert b" 100 " in slow.recv(1024)
        os.kill(server.process.pid, signal.SIGHUP)
        begun = monotonic()
        while slow.recv(1024):
            pass
        assert monotonic() - begun < AT_ONCE


def test_streams_that_are_opened_do_not_wear_the_worker_out(url):
    with served(url, [*FLAGS, "--max-requests", "8", "--max-requests-jitter", "0"], SIGN_IN="on") as server:
        bob = Person(server.port, "bob@example.com")
        with bob.follows() as first:
            for _ in range(12):
                with bob.follows() as stream:
                    stream.hears("ready")
            sleep(0.5)  # the worker looks ten times a second whether it has had enough
            with by_hand(url) as cursor:
                cursor.execute(f'UPDATE users SET "accountBalance" = 7000000 WHERE id = {bob.pk}')
            assert first.hears("accountBalance")[-1].data == {"accountBalance": "7.00"}
        bob.connection.close()


def told(family, pk):
    shown = family.alice.ask("GET", f"/api/groups/{family.group}/activities").said
    return next(each for each in shown if each["id"] == pk)
