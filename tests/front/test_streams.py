"""One stream and what becomes of it, without a server: what `tests/live` hears over a connection would take minutes."""

import asyncio
import time
from types import SimpleNamespace

import pytest
from django.db import OperationalError

from core.streams import Opening
from groups.live import places
from groups.live.places import NOTHING, Mark
from groups.live.watch import Changes, Watch
from voicechat.front import streams
from voicechat.front.streams import COMMENT, COMMENT_SECONDS, LONGEST_SECONDS, Stream, Streams

HEAD = [(b"content-type", b"text/event-stream"), (b"content-length", b"0"), (b"keep-alive", b"timeout=5")]
NEVER = float("inf")


class Transport:
    """What a client is sent; `unread` is how much of it waits."""

    def __init__(self):
        self.written, self.unread, self.is_closed, self.is_aborted = b"", 0, False, False

    def write(self, data):
        self.written += data

    def get_write_buffer_size(self):
        return self.unread

    def close(self):
        self.is_closed = True

    def abort(self):
        self.is_aborted = True


def connection(version="1.1"):
    """A request for a stream, as uvicorn has it."""
    made = SimpleNamespace(
        transport=Transport(),
        scope={"http_version": version},
        default_headers=[],
        disconnected=False,
        response_started=False,
        response_complete=False,
        keep_alive=True,
        more_body=False,
        message_event=asyncio.Event(),
        answered=[],
    )
    made.on_response = lambda: made.answered.append(1)
    return made


USUAL = {"person": None, "sign_in": None, "groups": frozenset(), "place": None, "until": NEVER, "seat": "a"}


def opening(**fields):
    return Opening(**{**USUAL, **fields})


class Quiet(Watch):
    """The database, in which nothing happens; or which fails so often at first."""

    def __init__(self, fails=0):
        super().__init__()
        self.fails, self.looks, self.known = fails, 0, {}
        self.meanwhile = lambda: None

    def look(self, people, groups, known, *, is_asked):
        self.looks += 1
        if self.looks <= self.fails:
            raise OperationalError
        self.meanwhile()
        self.known |= known
        return Changes() if is_asked else None


async def until(condition, seconds=5):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        await asyncio.sleep(0.005)


@pytest.mark.parametrize(("token", "expected"), [(60, (60, 60)), (NEVER, LONGEST_SECONDS)])
def test_it_ends_with_its_token_and_within_ten_minutes(token, expected):
    ends = Stream(connection(), opening(until=1_000 + token), 1_000).until - 1_000
    assert expected[0] <= ends <= expected[1]


def test_a_client_that_hears_nothing_is_told_now_and_then_that_it_is_there():
    cycle = connection("1.0")
    stream = Stream(cycle, opening(), 1_000)
    for seconds in range(3 * COMMENT_SECONDS + 1):
        stream.comment(1_000 + seconds)
    assert cycle.transport.written == COMMENT * 3


@pytest.mark.parametrize(("version", "sent", "end"), [("1.1", b"4\r\nword\r\n", b"0\r\n\r\n"), ("1.0", b"word", b"")])
def test_only_http_1_1_has_chunks(version, sent, end):
    async def talk():
        cycle = connection(version)
        stream = Stream(cycle, opening(), 1_000)
        stream.begin(200, HEAD)
        head, _, _ = cycle.transport.written.partition(b"\r\n\r\n")
        cycle.transport.written = b""
        stream.send(b"word")
        stream.end()
        return head, cycle.transport.written

    head, body = asyncio.run(talk())
    assert body == sent + end
    assert (b"transfer-encoding" in head) == (version == "1.1")
    assert b"content-length" not in head
    assert b"keep-alive" not in head


def test_nothing_is_no_chunk_for_that_would_be_the_end():
    cycle = connection()
    Stream(cycle, opening(), 1_000).send(b"")
    assert cycle.transport.written == b""


def test_what_has_ended_says_nothing_more_and_ends_once():
    async def talk():
        cycle = connection()
        stream = Stream(cycle, opening(), 1_000)
        for _ in range(2):
            stream.end()
            stream.send(b"word")
        return cycle

    cycle = asyncio.run(talk())
    assert (cycle.transport.written, cycle.transport.is_closed, cycle.answered) == (b"0\r\n\r\n", True, [1])


def test_who_does_not_take_the_end_is_cut_off_a_moment_later(monkeypatch):
    monkeypatch.setattr(streams, "GONE_AFTER", 0.01)

    async def talk():
        cycle = connection()
        Stream(cycle, opening(), 1_000).end()
        assert not cycle.transport.is_aborted
        await until(lambda: cycle.transport.is_aborted)

    asyncio.run(talk())


def served(work, *, fails=0):
    """What `work` does with streams that are served, of a database that fails so often at first."""

    async def serve():
        here = Streams()
        here.watch = Quiet(fails)
        return await asyncio.wait_for(work(here), 10)

    return asyncio.run(serve())


def follow(here, cycle, **fields):
    assert here.seats.take("a")
    return asyncio.get_running_loop().create_task(here.serve(cycle, 200, HEAD, opening(**fields)))


async def come(here):
    """Somebody follows, and has been told where they are: what serves them, and their connection."""
    cycle = connection()
    serving = follow(here, cycle)
    await until(lambda: b"event: ready" in cycle.transport.written)
    return serving, cycle


async def come_and_leave(here):
    serving, cycle = await come(here)
    cycle.disconnected = True
    cycle.message_event.set()
    await serving


def test_who_has_left_is_forgotten_and_nobody_looks_any_more():
    async def work(here):
        await come_and_leave(here)
        await until(lambda: here.task is None)
        return here

    here = served(work)
    assert (here.open, here.coming, dict(here.seats.taken)) == (set(), [], {})


def test_who_comes_after_the_last_one_has_left_is_told_where_they_are():
    async def work(here):
        for _ in range(2):
            await come_and_leave(here)
            await until(lambda: here.task is None)

    served(work)


def test_who_has_gone_before_it_begins_is_sent_nothing_and_keeps_no_seat():
    async def work(here):
        cycle = connection()
        cycle.disconnected = True
        await follow(here, cycle)
        return cycle.transport.written, dict(here.seats.taken), here.task

    assert served(work) == (b"", {}, None)


def test_who_comes_while_the_process_ends_is_told_to_come_again():
    async def work(here):
        here.end()
        cycle = connection()
        await follow(here, cycle)
        return cycle.transport

    sent = served(work)
    assert b"retry: " in sent.written
    assert (sent.is_closed, b"event:" in sent.written) == (True, False)


def test_who_was_not_told_yet_is_ended_too():
    async def work(here):
        cycle = connection()
        serving = follow(here, cycle)
        await asyncio.sleep(0)
        here.end()
        await asyncio.wait_for(serving, 5)
        return cycle.transport.is_closed, here.coming

    assert served(work) == (True, [])


def test_while_the_database_is_away_who_waits_is_told_that_it_is_there_and_ends_in_time(monkeypatch):
    monkeypatch.setattr(streams, "COMMENT_SECONDS", 0)

    async def work(here):
        ends, waits = connection(), connection()
        serving = follow(here, ends, until=time.time() + 0.5)
        _ = follow(here, waits)
        await asyncio.wait_for(serving, 5)
        await until(lambda: COMMENT in waits.transport.written)
        return ends.transport.is_closed, waits.transport.is_closed

    assert served(work, fails=1000) == (True, False)


def test_where_the_database_fails_those_who_came_are_told_when_it_answers(monkeypatch):
    monkeypatch.setattr(streams, "FAULT_SECONDS", 0.25)

    began = time.monotonic()
    served(come_and_leave, fails=2)
    assert time.monotonic() - began >= 2 * 0.25  # and it was left in peace between two tries


def test_who_comes_is_not_kept_waiting_for_the_next_look(monkeypatch):
    monkeypatch.setattr(streams, "PAUSE_SECONDS", 60)

    async def work(here):
        for _ in range(2):
            await come(here)
            await asyncio.sleep(0.1)

    served(work)


@pytest.mark.parametrize("numbers", [(5, 3), (3, 5)])
def test_of_two_who_come_together_all_is_read_that_either_has_missed(numbers):
    async def work(here):
        for number in numbers:
            place = places.written(time.time(), None, NOTHING, {1: Mark(number, NOTHING, number)})
            _ = follow(here, connection(), place=place)
        await until(lambda: here.watch.looks)
        return here.watch.known

    assert served(work) == {1: Mark(3, NOTHING, 3)}


def test_who_has_left_while_they_were_looked_for_is_not_followed():
    async def work(here):
        cycle = connection()
        here.watch.meanwhile = lambda: setattr(cycle, "disconnected", True)
        serving = follow(here, cycle)
        await until(lambda: here.task is None and here.watch.looks)
        followed = set(here.open)
        cycle.message_event.set()
        await serving
        return followed, b"event:" in cycle.transport.written

    assert served(work) == (set(), False)


def test_who_is_looked_for_while_the_process_ends_is_ended_too():
    async def work(here):
        loop, cycle = asyncio.get_running_loop(), connection()

        def end():
            here.watch.meanwhile = lambda: None
            asyncio.run_coroutine_threadsafe(ending(), loop).result(5)

        async def ending():
            here.end()

        here.watch.meanwhile = end
        await follow(here, cycle)
        return cycle.transport.is_closed

    assert served(work)


def test_who_leaves_too_much_unread_is_left():
    cycle = connection()
    stream = Stream(cycle, opening(), 1_000)
    cycle.transport.unread = streams.MOST_UNREAD
    stream.send(b"word")
    assert (cycle.transport.is_aborted, cycle.transport.written != b"") == (False, True)
    cycle.transport.unread += 1
    cycle.transport.written = b""
    stream.send(b"word")
    assert (cycle.transport.is_aborted, cycle.transport.written) == (True, b"")


def test_who_missed_too_much_to_be_told_at_once_reads_everything_again(monkeypatch):
    monkeypatch.setattr(streams, "MOST_AT_ONCE", 10)

    async def work(here):
        cycle = connection("1.0")
        here.tell_one(Stream(cycle, opening(), 1_000), [b"one;", b"two;", b"three;", b"four;"], 1_000)
        return cycle.transport.written

    said = served(work)
    assert said.startswith(b"one;two;three;id: ")
    assert b"event: reset\n" in said


def test_who_may_hear_nothing_any_more_is_ended():
    async def work(here):
        stream = Stream(connection(), opening(), 1_000)
        here.open.add(stream)
        stream.follower.is_over = True
        here.tell_one(stream, [], 1_000)
        return stream.is_over, here.open

    assert served(work) == (True, set())


def test_whose_time_is_over_is_ended_within_a_second():
    async def work(here):
        cycle = connection()
        serving = follow(here, cycle, until=time.time() + 0.5)
        await asyncio.wait_for(serving, 5)
        return cycle.transport.is_closed

    assert served(work)
