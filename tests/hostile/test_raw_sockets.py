"""Bytes that are hardly HTTP, sent to gunicorn as it serves the product. What its worker refuses is its own."""

import os
import re
import socket

import pytest

from bench.server import gunicorn

MANY_SECONDS = 60  # for a busy machine: what is tested is that an end comes, not when
HEAD = re.compile(rb"HTTP/1\.[01] (\d{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")
BY_THE_WORKER = {100, 400, 408, 414, 431}
"""What it says to what is no request: 500 from it would mean that the application has let it down."""
ALIVE = b'{"status": "ok"}'


def post(*headers, body=b""):
    lines = [b"POST /api/users HTTP/1.1", b"Host: localhost", b"Content-Type: application/json", *headers, b"", body]
    return b"\r\n".join(lines)


def get(target=b"/healthz", *headers, version=b"HTTP/1.1"):
    return b"\r\n".join([b"GET " + target + b" " + version, *(headers or (b"Host: localhost",)), b"", b""])


def method(name, *headers):
    return b"\r\n".join([name + b" /api/users HTTP/1.1", b"Host: localhost", *headers, b"", b""])


SMUGGLED = get()
CHUNKS = b"3\r\n{} \r\n0\r\n\r\n"
REQUESTS = {
    "no host": get(b"/healthz", b"Accept: */*"),
    "an empty host": get(b"/healthz", b"Host:"),
    "two hosts": get(b"/healthz", b"Host: localhost", b"Host: evil.example"),
    "a host of 8,000 characters": get(b"/healthz", b"Host: " + b"a" * 8000),
    "a host with a NUL": get(b"/healthz", b"Host: a\x00b"),
    "an absolute target": get(b"http://localhost/healthz"),
    "another's absolute target": get(b"http://evil.example/healthz"),
    "two slashes": get(b"//evil.example/healthz"),
    "a target without a slash": get(b"healthz"),
    "a target of one star": get(b"*"),
    "a target with a NUL": get(b"/api/users/\x00"),
    "a target with an escaped NUL": get(b"/api/users/%00"),
    "a target with a space": get(b"/api/users /1"),
    "a target with a tab": get(b"/api/users\t"),
    "a target beyond ASCII": get("/api/users/é\ud800".encode("utf-8", "surrogatepass")),
    "a target of 100,000 characters": get(b"/" + b"a" * 100_000),
    "a header of 100,000 characters": get(b"/healthz", b"Host: localhost", b"X-A: " + b"a" * 100_000),
    "100,000 characters of headers": get(b"/healthz", b"Host: localhost", *[b"X-A: " + b"a" * 1000] * 100),
    "1,000 headers": get(b"/healthz", b"Host: localhost", *[b"X-A: a"] * 1000),
    "a header with a NUL": get(b"/healthz", b"Host: localhost", b"X-A: \x00"),
    "a header without a name": get(b"/healthz", b"Host: localhost", b": a"),
    "a header without a colon": get(b"/healthz", b"Host: localhost", b"X-A"),
    "a header on two lines": get(b"/healthz", b"Host: localhost", b"X-A: a\r\n b"),
    "headers that look alike": get(b"/healthz", b"Host: localhost", b"X-Request-Id: aaaaaaaa", b"X_Request_Id: evil"),
    "a script's name": get(b"/healthz", b"Host: localhost", b"SCRIPT_NAME: /admin", b"Script-Name: /admin"),
    "a type in no charset": get(b"/healthz", b"Host: localhost", b"Content-Type: a/b; c*=nonsense''%41"),
    "a charset of NUL": get(b"/healthz", b"Host: localhost", b"Content-Type: a/b; charset*=utf-8''%00"),
    "trace": method(b"TRACE"),
    "trace with a body": method(b"TRACE", b"Content-Length: 5") + b"trace",
    "connect": b"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost:22\r\n\r\n",
    "options of everything": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a method in small letters": method(b"post", b"Content-Length: 0"),
    "a method of 1,000 letters": method(b"X" * 1000),
    "HTTP/0.9": b"GET /healthz\r\n",
    "HTTP/1.0": get(version=b"HTTP/1.0"),
    "HTTP/2.0": get(version=b"HTTP/2.0"),
    "HTTP/9.9": get(version=b"HTTP/9.9"),
    "no HTTP": get(version=b"FTP/1.1"),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "an upgrade to HTTP/2": get(b"/healthz", b"Host: localhost", b"Upgrade: h2c", b"Connection: Upgrade"),
    "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(200),
    "noise": bytes(range(256)) * 40,
    "a proxy's line": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + get(),
    "bare line feeds": get().replace(b"\r\n", b"\n"),
    "bare carriage returns": get().replace(b"\r\n", b"\r"),
    "empty lines first": b"\r\n\r\n" + get(),
    "half a request": get()[:-10],
    "half a body": post(b"Content-Length: 100", body=b"{"),
    "no length": post(body=b"{}"),
    "a length of 1 GB": post(b"Content-Length: 1073741824"),
    "a length of -1": post(b"Content-Length: -1"),
    "a length with a sign": post(b"Content-Length: +2", body=b"{}"),
    "a length of 5,000 digits": post(b"Content-Length: " + b"9" * 5000),
    "a length in Arabic": post("Content-Length: ٢".encode(), body=b"{}"),
    "a length before a space": post(b"Content-Length : 2", body=b"{}"),
    "the same length twice": post(b"Content-Length: 2", b"Content-Length: 2", body=b"{}"),
    "chunks": post(b"Transfer-Encoding: chunked", body=CHUNKS),
    "chunks of no size": post(b"Transfer-Encoding: chunked", body=b"zz\r\n{}\r\n0\r\n\r\n"),
    "a chunk of 2^70 bytes": post(b"Transfer-Encoding: chunked", body=b"400000000000000000\r\n{}"),
    "an expectation": post(b"Content-Length: 2", b"Expect: 100-continue", body=b"{}"),
    "an expectation of nonsense": post(b"Content-Length: 2", b"Expect: nonsense", body=b"{}"),
}
SMUGGLING = {
    "two lengths": post(b"Content-Length: 2", b"Content-Length: %d" % (len(SMUGGLED) + 2), body=b"{}" + SMUGGLED),
    "a list of lengths": post(b"Content-Length: 2, %d" % (len(SMUGGLED) + 2), body=b"{}" + SMUGGLED),
    "a length and chunks": post(
        b"Content-Length: %d" % (len(SMUGGLED) + 5), b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED
    ),
    "chunks and a length": post(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n" + SMUGGLED),
    "chunks, then not": post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n" + SMUGGLED),
    "chunks in disguise": post(b"Transfer-Encoding: \x0bchunked", b"Content-Length: 0", body=SMUGGLED),
    "chunks by another name": post(b"Transfer-Encoding: xchunked", b"Content-Length: 0", body=SMUGGLED),
    "chunks by a bare line feed": post(b"X-A: a\nTransfer-Encoding: chunked", b"Content-Length: 0", body=SMUGGLED),
    "chunks with an underscore": post(b"Transfer_Encoding: chunked", b"Content-Length: %d" % len(SMUGGLED)) + SMUGGLED,
    "chunks in HTTP/1.0": post(b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED).replace(
        b"/1.1", b"/1.0", 1
    ),
}


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """Nothing here gets as far as the database: it has no tables."""
    database = f"sqlite:///{tmp_path_factory.mktemp('raw')}/empty.sqlite3"
    flags = ["--workers", "1", "--threads", "4"]
    with gunicorn("voicechat.wsgi", flags, {**os.environ, "DATABASE_URL": database}, probe="/healthz") as server:
        yield server.port


@pytest.fixture
def talk(port):
    """All that is answered until the server ends the connection; it is not told that nothing more comes."""

    def talk(sent, *, is_all=True):
        received = b""
        with socket.create_connection(("127.0.0.1", port), timeout=MANY_SECONDS) as connection:
            try:
                connection.sendall(sent)
                if is_all:
                    connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(65536):
                    received += part
            except (BrokenPipeError, ConnectionResetError):  # it has heard enough
                pass
        return received

    return talk


def answers(received):
    """Status, whether it is the application's, and body of each."""
    heads = [head for head in HEAD.finditer(received) if head[1] != b"100"]
    ends = [head.start() for head in heads[1:]] + [len(received)]
    return [
        (int(head[1]), b"x-request-id:" in head[2].lower(), received[head.end() : end])
        for head, end in zip(heads, ends, strict=False)  # no head, no end
    ]


def faults(received):
    for status, by_application, body in answers(received):
        if not by_application and status not in BY_THE_WORKER:
            yield f"{status} by the worker"
        if by_application and (status >= 500 or (status >= 400 and f'"status":{status}'.encode() not in body)):
            yield f"{status} {body!r}"


def test_bytes_that_are_hardly_http_do_no_harm(talk):
    found = {}
    for name, sent in {**REQUESTS, **SMUGGLING}.items():
        found[name] = [*faults(talk(sent))]
        if [body for _, _, body in answers(talk(get(b"/healthz", b"Host: a", b"Connection: close")))] != [ALIVE]:
            found[name].append("and the next request is not answered")
    assert {name: each for name, each in found.items() if each} == {}


def test_no_request_is_smuggled_in_another(talk):
    assert [name for name, sent in SMUGGLING.items() if ALIVE in talk(sent)] == []


def test_requests_in_a_row_are_answered_in_a_row(talk):
    received = talk(get() + post(b"Content-Length: 2", body=b"{}") + get(b"/healthz", b"Host: a", b"Connection: close"))
    assert [status for status, _, _ in answers(received)] == [200, 400, 200]


def test_a_gigabyte_is_refused_before_it_comes(talk):
    received = talk(REQUESTS["a length of 1 GB"], is_all=False)
    assert [status for status, _, _ in answers(received)] == [413]


def test_trace_gives_nothing_back(talk):
    received = talk(method(b"TRACE", b"X-Secret: sesame", b"Connection: close"))
    assert [status for status, _, _ in answers(received)] == [405]
    assert b"sesame" not in received


def test_who_sends_four_mebibytes_in_chunks_first_reads_the_refusal_then(port):
    whole = b"100000\r\n" + bytes(0x100000) + b"\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=MANY_SECONDS) as connection:
        connection.sendall(post(b"Transfer-Encoding: chunked"))
        for _ in range(4):
            connection.sendall(whole)
        connection.sendall(b"0\r\n\r\n")
        received = connection.recv(65536)
    assert [status for status, by_application, _ in answers(received) if by_application] == [413]
