"""How requests reach Django, and its answers a client: whole ones alone, and nobody waits for a slow one."""

import asyncio
import json
import socket
from threading import Event, Semaphore
from types import SimpleNamespace

import pytest
import uvicorn

from core.metrics.counted import counted
from core.metrics.families import REQUESTS
from tests.front.conftest import MANY_SECONDS, Connection, Parts, served
from voicechat.front import bridge, protocol
from voicechat.front.worker import Server, Worker
from voicechat.listening import KEEP_ALIVE
from voicechat.middleware import MOST_READ, largest_body

CHUNKED = b"POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"


def get(path=b"/a", *headers):
    return b"\r\n".join([b"GET " + path + b" HTTP/1.1", b"Host: h", *headers, b"", b""])


def post(length, body=b"", path=b"/a", *headers):
    head = [b"POST " + path + b" HTTP/1.1", b"Host: h", b"Content-Length: %d" % length, *headers, b"", body]
    return b"\r\n".join(head)


def chunk(body):
    return b"%x\r\n%s\r\n" % (len(body), body)


def test_chunks_are_a_body_with_a_length(connect, echo):
    connect().send(CHUNKED, chunk(b"hello, "), chunk(b"world"), b"0\r\n\r\n").read()
    (asked,) = echo.asked
    assert (asked["body"], asked["CONTENT_LENGTH"]) == (b"hello, world", "12")
    assert "HTTP_TRANSFER_ENCODING" not in asked


@pytest.mark.parametrize("path", [b"/a", b"/api/upload"])
@pytest.mark.parametrize("over", [0, 1])
def test_of_a_body_that_is_too_large_the_length_alone_is_told(connect, echo, path, over):
    length = largest_body(path.decode()) + over
    connect().send(post(length, bytes(length), path, b"Connection: close")).read()
    (asked,) = echo.asked
    assert (asked["CONTENT_LENGTH"], len(asked["body"])) == (str(length), 0 if over else length)


def test_who_announces_a_gigabyte_is_answered_before_it_comes_and_not_heard_out(connect, echo):
    said = connect().send(post(2**30, b"", b"/a", b"Expect: 100-continue")).read()
    assert said.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in said
    assert [asked["CONTENT_LENGTH"] for asked in echo.asked] == [str(2**30)]


def test_chunks_without_end_are_heard_out_to_a_bound(connect, echo):
    connection, sent = connect().send(CHUNKED), 0
    try:
        while sent <= 4 * MOST_READ:
            connection.send(chunk(bytes(2**20)))
            sent += 2**20
    except OSError:
        pass
    connection.read()
    (asked,) = echo.asked
    assert MOST_READ < int(asked["CONTENT_LENGTH"]) <= MOST_READ + 2**20
    assert asked["body"] == b""


def test_half_a_body_is_no_request(connect, echo):
    assert connect().send(post(10, b"hello")).ends().read() == b""
    assert echo.asked == []


def test_who_has_said_all_and_listens_is_answered_and_told_that_it_was_the_last(echo):
    has_ended = Event()

    def application(environ, start_response):
        has_ended.wait(MANY_SECONDS)
        return echo(environ, start_response)

    with served(application) as connect:
        connection = connect().send(get()).ends()
        Event().wait(0.2)  # until that has come, too
        has_ended.set()
        said = connection.read()
    assert said.endswith(b"\r\n\r\n/a")
    assert b"\r\nconnection: close\r\n" in said


def test_a_client_that_sends_slowly_holds_no_thread(connect):
    slow = connect().send(post(10, b"hello"))
    assert connect().send(get(b"/b", b"Connection: close")).read().endswith(b"/b")
    assert slow.send(b"world").read(until=b"\r\n\r\n/a")


def test_larger_bodies_wait_for_a_place_and_all_are_taken(connect, echo, monkeypatch):
    whole = bytes(bridge.SMALL * 3)
    half = len(whole) // 2
    waiting = [connect().send(post(len(whole), whole[:half])) for _ in range(bridge.PLACES + 2)]
    for each in reversed(waiting):
        each.send(whole[half:])
    assert all(each.read(until=b"/a").startswith(b"HTTP/1.1 200") for each in waiting)
    assert {len(asked["body"]) for asked in echo.asked} == {len(whole)}


def test_a_body_of_which_nothing_comes_any_more_is_408(connect, echo, monkeypatch):
    monkeypatch.setattr(bridge, "PAUSE_SECONDS", 0.05)
    head, _, body = connect().send(post(10, b"hello")).read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert b"connection: close" in head
    assert b"keep-alive" not in head
    assert (json.loads(body)["code"], echo.asked) == ("request_timeout", [])


def test_who_expects_to_be_asked_for_the_body_is_asked(connect):
    connection = connect().send(post(5, b"", b"/a", b"Expect: 100-continue", b"Connection: close"))
    assert connection.read(until=b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert connection.send(b"hello").read().startswith(b"HTTP/1.1 200")


def test_requests_in_a_row_are_answered_in_a_row(connect):
    said = connect().send(get(b"/1") + post(2, b"{}", b"/2") + get(b"/3", b"Connection: close")).read()
    assert [part[-2:] for part in said.split(b"HTTP/1.1 200")[1:]] == [b"/1", b"/2", b"/3"]


def test_what_follows_a_request_and_is_none_ends_the_connection_after_the_answer(connect):
    said = connect().send(get(b"/1") + b"\x00\x01 nonsense\r\n\r\n").read()
    assert said.startswith(b"HTTP/1.1 200")
    assert said.endswith(b"/1")


def test_a_connection_says_how_long_it_stays_open(connect):
    staying = connect().send(get()).read(until=b"\r\n\r\n/a")
    leaving = connect().send(get(b"/a", b"Connection: close")).read()
    assert b"connection: keep-alive\r\nkeep-alive: timeout=%d\r\n" % (KEEP_ALIVE - 2) in staying
    assert b"connection: close\r\n" in leaving
    assert b"keep-alive" not in leaving


def test_http_1_0_is_answered_once(connect):
    assert connect().send(b"GET /a HTTP/1.0\r\n\r\n").read().endswith(b"/a")


def test_an_upgrade_is_a_request_as_any_other_and_the_last(connect, echo):
    said = connect().send(get(b"/a", b"Upgrade: h2c", b"Connection: Upgrade") + get(b"/b")).read()
    assert said.endswith(b"/a")
    assert len(echo.asked) == 1


def test_a_header_with_an_underscore_passes_for_no_other(connect, echo):
    connect().send(get(b"/a", b"X_Forwarded_For: 1.2.3.4", b"X-Other: a", b"X-Other: b", b"Connection: close")).read()
    (asked,) = echo.asked
    assert "HTTP_X_FORWARDED_FOR" not in asked
    assert asked["HTTP_X_OTHER"] == "a,b"


def test_a_path_is_what_was_written_and_what_it_means(connect, echo):
    connect().send(get(b"/caf%C3%A9%2Fb?q=%20", b"Connection: close")).read()
    (asked,) = echo.asked
    assert asked["PATH_INFO"].encode("latin-1").decode() == "/café/b"
    assert (asked["RAW_URI"], asked["QUERY_STRING"]) == ("/caf%C3%A9%2Fb", "q=%20")


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "bad_request"),
        (b"GET /a\r\n\r\n", 400, "bad_request"),
        (b"POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "bad_request"),
        (get(b"/" + b"a" * protocol.MOST_TARGET), 414, "target_too_long"),
        (b"GET /" + b"a" * 200_000, 414, "target_too_long"),
        (get(b"/a", b"X: " + b"a" * protocol.MOST_FIELD), 431, "headers_too_large"),
        (get(b"/a", *[b"X: a"] * protocol.MOST_FIELDS), 431, "headers_too_large"),
        (get(b"/a", b"X: " + b"a" * 200_000)[:-4], 431, "headers_too_large"),
    ],
)
def test_what_is_no_request_is_refused_as_everything_is(connect, echo, sent, status, code):
    head, _, body = connect().send(sent).read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    said = json.loads(body)
    assert (said["status"], said["code"], echo.asked) == (status, code, [])


def test_a_head_that_does_not_come_to_its_end_is_408(connect, echo, monkeypatch):
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.05)
    assert connect().send(get()[:-4]).read().startswith(b"HTTP/1.1 408")
    assert connect().read() == b""  # nor is one waited for that does not begin


def test_the_time_of_a_head_is_not_that_of_a_body_nor_of_a_connection_that_waits(connect, monkeypatch):
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.6)
    whole = post(10, b"hello")
    slow = connect().send(whole[:20])
    Event().wait(0.05)  # so that its head comes in two parts, and is waited for
    slow.send(whole[20:])
    Event().wait(0.8)
    assert slow.send(b"world").read(until=b"\r\n\r\n/a").startswith(b"HTTP/1.1 200")
    Event().wait(0.8)
    assert slow.send(get(b"/b")).read(until=b"\r\n\r\n/b").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("client", "scheme"),
    [("127.0.0.1", "https"), ("::1", "https"), ("::ffff:127.0.0.1", "https"), ("203.0.113.9", "http")],
)
def test_that_it_came_by_tls_says_nobody_from_another_machine(client, scheme):
    headers = [(b"x-forwarded-proto", b"https")]
    scope = {"method": "GET", "raw_path": b"/a", "query_string": b"", "http_version": "1.1", "scheme": "http"}
    cycle = SimpleNamespace(scope={**scope, "client": (client, 1), "server": ("h", 80), "headers": headers})
    assert bridge.environ_of(cycle)["wsgi.url_scheme"] == scheme


def test_what_is_refused_before_django_is_counted(monkeypatch):
    monkeypatch.setattr(counted, "is_on", True)
    monkeypatch.setattr(counted, "counts", {})
    bridge.refusal(400, "bad_request", "No.")
    assert counted.counts == {(REQUESTS, "other", "none", 400): 1}


def test_an_answer_comes_in_parts_as_they_are_made(echo):
    go_on = Event()

    def parts():
        yield b"first"
        go_on.wait(30)
        yield b"second"

    answer = Parts(parts())

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/csv")])
        return answer

    with served(application) as connect:
        connection = connect().send(get(b"/a", b"Connection: close"))
        connection.read(until=b"first")
        go_on.set()
        assert connection.read().endswith(b"6\r\nsecond\r\n0\r\n\r\n")
    assert answer.is_closed


def test_parts_end_where_the_client_has_gone_or_reads_no_more(monkeypatch):
    monkeypatch.setattr(bridge, "PAUSE_SECONDS", 0.2)
    ended = []

    def application(environ, start_response):
        def parts():
            while True:
                yield bytes(2**20)

        answer = Parts(parts())
        start_response("200 OK", [("Content-Type", "text/csv")])
        ended.append(answer)
        return answer

    with served(application) as connect:
        gone = connect().send(get())
        gone.read(until=b"\r\n\r\n")
        gone.socket.close()
        stays = connect().send(get())
        next_one = connect().send(get())  # is served once the one thread is free of both
        assert next_one.read(until=b"\r\n\r\n").startswith(b"HTTP/1.1 200")
        assert [answer.is_closed for answer in ended[:2]] == [True, True]
        stays.socket.close()


class Itself(bridge.Bridge):
    """Answers /kept without Django, as the door does."""

    def take(self, cycle, start):
        if cycle.scope["path"] != "/kept":
            super().take(cycle, start)
            return
        cycle.transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        cycle.response_started = cycle.response_complete = True
        cycle.on_response()


def test_what_the_door_answers_itself_does_not_wear_the_worker_out(echo):
    with served(echo, front=Itself) as connect:
        connection = connect()
        for _ in range(5):
            connection.send(get(b"/kept")).read(until=b"\r\n\r\n")
        connection.send(get(b"/a")).read(until=b"\r\n\r\n/a")
        assert connect.state.total_requests == 1


def test_a_request_that_a_late_worker_has_not_read_yet_is_answered_though_it_leaves(connect):
    sent, connection = Event(), connect()
    while not connect.state.connections:
        pass
    (served_one,) = connect.state.connections

    def be_late_and_leave():
        sent.wait(30)
        served_one.made_at = float("-inf")  # it is no new connection any more
        served_one.shutdown()

    served_one.loop.call_soon_threadsafe(be_late_and_leave)
    connection.send(get())
    sent.set()
    assert connection.read(until=b"/a").startswith(b"HTTP/1.1 200")


def leave(app, listening, **config):
    """As a worker that is told to end."""

    async def leave():
        made = uvicorn.Config(bridge.Bridge(app, 1), log_config=None, **Worker.CONFIG_KWARGS, **config)
        made.load()
        server = Server(made)
        server.lifespan, server.servers = made.lifespan_class(made), []
        await server.shutdown([listening])

    asyncio.run(leave())


@pytest.fixture
def listening():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(0)
        yield listening


def test_who_waits_to_be_accepted_is_answered_before_the_door_is_closed(echo, listening):
    waiting = [Connection(listening.getsockname()[1]).send(get()) for _ in range(3)]
    leave(echo, listening)
    listening.close()
    for each in waiting:
        said = each.read()
        assert said.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in said
        each.socket.close()


def test_gunicorn_hears_of_a_worker_that_leaves_for_as_long_as_it_answers(listening):
    """It kills whom it has not heard of for half a minute."""
    heard = Semaphore(0)

    async def tell():
        heard.release()

    def slow(environ, start_response):
        is_heard = all(heard.acquire(timeout=MANY_SECONDS) for _ in range(3))
        start_response("200 OK" if is_heard else "504 Gateway Timeout", [("Content-Length", "0")])
        return Parts([], streaming=False)

    waiting = Connection(listening.getsockname()[1]).send(get())
    leave(slow, listening, callback_notify=tell)
    assert waiting.read().startswith(b"HTTP/1.1 200")
    waiting.socket.close()
