"""How soon a stream tells what is said, and whether any of it is lost: Twilio's callbacks of many conferences at once.

    python -m bench.captions [--conferences 50] [--minute 5000] [--seconds 60]

In one process, open and in the sandbox, on a temporary SQLite file, or on a database beside the PostgreSQL of
DATABASE_URL. Of five callbacks four say what somebody is saying, and the fifth what they have said; each tenth is told
twice. A stream follows each conference. The client runs beside the server: its own work is in the times.
"""

import argparse
import asyncio
import json
import signal
import sys
import threading
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPConnection
from statistics import quantiles
from time import monotonic, sleep
from urllib.parse import urlencode

from bench.database import temporary_database
from bench.live import FLAGS, Stream, Worker, Writer
from bench.server import gunicorn

POSTERS = 8
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PARTIALS = 4  # before each final
READY = 60  # seconds, in which all streams are open


class Follower(Stream):
    """Follows one group, through the eyes of its owner: of nobody in particular no more than 20 streams are open."""

    def __init__(self, group: int, owner: int, came: dict[int, list[float]]) -> None:
        super().__init__(owner, came)
        self.group = group

    def connection_made(self, transport: object) -> None:
        self.transport = transport
        path = b"/api/live?groupId=%d&userId=%d" % (self.group, self.person)
        self.transport.write(b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % path)


class Poster:
    def __init__(self, port: int) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=30)

    def post(self, path: str, expected: int = 204, **params: object) -> None:
        self.connection.request("POST", path, urlencode(params), FORM)
        answer = self.connection.getresponse()
        answer.read()
        if answer.status != expected:
            raise RuntimeError(f"{path} was answered {answer.status}")


def begin(port: int, groups: list[int]) -> None:
    """A call in each group, of one phone, with captions."""
    poster = Poster(port)
    for group in groups:
        poster.post("/api/voice/makeCall", 200, to=group, From="client:u_1", CallSid=f"CA{group}")
        joined = {"ConferenceSid": f"CF{group}", "FriendlyName": group, "CallSid": f"CA{group}"}
        poster.post("/api/voice/conferenceEvents", StatusCallbackEvent="participant-join", SequenceNumber=1, **joined)
        poster.connection.request(
            "PUT", f"/api/groups/{group}/captions", '{"on": true}', {"Content-Type": "application/json"}
        )
        poster.connection.getresponse().read()


def tell(poster: Poster, group: int, number: int) -> None:
    """What is marked is a final: the stream is looked through for the marks."""
    is_final = number % (PARTIALS + 1) == PARTIALS
    text = f"mark {group * 10_000 + number:08d}" if is_final else f"being said {number}"
    params = {
        "TranscriptionSid": f"GT{group}",
        "TranscriptionEvent": "transcription-content",
        "CallSid": f"CA{group}",
        "Track": "inbound_track",
        "LanguageCode": "en-US",
        "Final": str(is_final).lower(),
        "SequenceId": number,
        "Timestamp": datetime.now(UTC).isoformat(),
        "TranscriptionData": json.dumps({"transcript": text, "confidence": 0.9}),
    }
    for _ in range(2 if number % 10 == PARTIALS else 1):
        poster.post("/api/voice/captionEvents", **params)


def tell_all(port: int, groups: list[int], a_minute: int, seconds: float, told: dict[int, float]) -> float:
    """Gives how long it took. `told` has of each final when its callback was sent."""
    begun, each = monotonic(), 60 / a_minute
    many = int(seconds / each)

    def work(place: int) -> None:
        poster = Poster(port)
        for number in range(place, many, POSTERS):
            sleep(max(0.0, begun + number * each - monotonic()))
            group, count = groups[number % len(groups)], number // len(groups)
            if count % (PARTIALS + 1) == PARTIALS:
                told[group * 10_000 + count] = monotonic()
            tell(poster, group, count)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(POSTERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return monotonic() - begun


async def follow(port: int, owners: dict[int, int], a_minute: int, seconds: float, worker: Worker) -> int:
    loop, groups = asyncio.get_running_loop(), [*owners]
    came: dict[int, list[float]] = {}
    streams = [
        (await loop.create_connection(partial(Follower, group, owner, came), "127.0.0.1", port))[1]
        for group, owner in owners.items()
    ]
    await asyncio.wait_for(asyncio.gather(*(stream.is_ready.wait() for stream in streams)), READY)
    told: dict[int, float] = {}
    cpu = worker.cpu()
    took = await asyncio.to_thread(tell_all, port, groups, a_minute, seconds, told)
    cpu = (worker.cpu() - cpu) / took
    await asyncio.sleep(2)
    times = [1000 * (came[number][0] - at) for number, at in told.items() if number in came]
    lost, twice = len(told) - len(times), sum(len(each) > 1 for each in came.values())
    cuts = quantiles(times, n=100)
    print(f"{len(groups)} conferences, {60 * seconds / took * a_minute / 60:.0f} callbacks in {took:.0f} s.")
    each = 1000 * cpu / (a_minute / 60)
    print(f"{len(told)} finals: {lost} lost, {twice} told twice.")
    print(f"The server took {100 * cpu:.0f} % of a core: {each:.1f} ms a callback.")
    print(f"From the callback to the stream: p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms.", flush=True)
    return 1 if lost or twice else 0


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: the server is stopped, the database dropped
    parser = argparse.ArgumentParser(prog="python -m bench.captions", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--conferences", type=int, default=50)
    parser.add_argument("--minute", type=int, default=5_000, help="callbacks a minute")
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    with ExitStack() as stack:
        environment, _ = stack.enter_context(temporary_database())
        server = stack.enter_context(gunicorn("voicechat.wsgi", FLAGS, environment, "/healthz"))
        writer = Writer(environment["DATABASE_URL"])
        stack.enter_context(closing(writer.connection))
        owned = 'SELECT "groupId", "userId" FROM "usersGroupsOwnership" ORDER BY "groupId" LIMIT'
        owners = dict(writer.run(f"{owned} {given.conferences}"))
        begin(server.port, [*owners])
        return asyncio.run(follow(server.port, owners, given.minute, given.seconds, Worker(server)))


if __name__ == "__main__":
    sys.exit(main())
