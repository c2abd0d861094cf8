"""What a poll costs more where metrics are counted: processor time of the worker, and not the clock's.

    python -m bench.metrics [--polls 20000] [--rounds 200]

Two servers on one database, a temporary SQLite file or one beside the PostgreSQL of DATABASE_URL: with METRICS_PORT,
which is scraped every fifteen seconds, and without. Each has one worker. Blocks of the same polls go to one and the
other in turn, the first of each pair in turn too, so that other work on the machine falls on both alike. Of the
differences in the pairs the median is told.
https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

import argparse
import os
import signal
import statistics
import sys
import threading
import urllib.request
from contextlib import ExitStack, suppress
from http.client import HTTPConnection
from pathlib import Path

from bench.database import temporary_database
from bench.server import Server, free_port, gunicorn

FLAGS = ["--workers", "1", "--max-requests", "0"]  # a worker that is replaced begins to count anew
SCRAPED_EACH = 15.0
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: the servers are stopped, the database dropped
    parser = argparse.ArgumentParser(prog="python -m bench.metrics", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--polls", type=int, default=20_000, help="in all, to each of the two")
    parser.add_argument("--rounds", type=int, default=200)
    given = parser.parse_args()
    with ExitStack() as stack:
        environment, ids = stack.enter_context(temporary_database())
        metrics = free_port()
        counted = {**environment, "METRICS_PORT": str(metrics), "HOST": "127.0.0.1"}
        both = [
            stack.enter_context(gunicorn("voicechat.wsgi", FLAGS, each, "/healthz")) for each in (counted, environment)
        ]
        over = threading.Event()
        stack.callback(over.set)
        threading.Thread(target=scrape, args=(metrics, over), daemon=True).start()
        paths = [f"/api/groups/{ids['group']}/{name}" for name in ("callStatus", "callParticipants", "activities")]
        tell(measure(both, paths, given.rounds, given.polls // given.rounds))
    return 0


def scrape(port: int, over: threading.Event) -> None:
    while not over.wait(SCRAPED_EACH):
        with suppress(OSError):  # where the machine is busy one is missed, as Prometheus misses it
            urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30).read()


def measure(both: list[Server], paths: list[str], rounds: int, polls: int) -> list[tuple[float, float]]:
    """Microseconds a poll with and without, of each pair."""
    for server in both:
        block(server, paths, polls // 4)  # warm
    pairs = []
    for number in range(rounds):
        order = both if number % 2 == 0 else both[::-1]
        spent = {id(server): block(server, paths, polls) for server in order}
        pairs.append((spent[id(both[0])], spent[id(both[1])]))
    return pairs


def block(server: Server, paths: list[str], polls: int) -> float:
    """Over one connection that stays open; microseconds of the worker's processor time for each."""
    worker = worker_of(server)
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    begun = spent(worker)
    for number in range(polls):
        connection.request("GET", paths[number % len(paths)])
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{paths[number % len(paths)]} is {answer.status}")
    taken = spent(worker) - begun
    connection.close()
    return taken / polls * 1e6


def worker_of(server: Server) -> int:
    pid = server.process.pid
    (worker,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(worker)


def spent(pid: int) -> float:
    """Seconds of its own and of the system for it, of all its threads."""
    fields = Path(f"/proc/{pid}/schedstat")
    if fields.exists():  # nanoseconds, but of the first thread alone
        threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
        return sum(int(each.read_text().split()[0]) for each in threads) / 1e9
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / TICKS


def tell(pairs: list[tuple[float, float]]) -> None:
    """The median, and between which two of the ordered shares it lies in 19 of 20 measurements.

    https://en.wikipedia.org/wiki/Median#Confidence_intervals
    """
    shares = sorted(100 * (one / other - 1) for one, other in pairs)
    count, beside = len(shares), 0.98 * len(shares) ** 0.5
    low, high = shares[max(0, round(count / 2 - beside))], shares[min(count - 1, round(count / 2 + beside))]
    with_it, without = (statistics.median(each) for each in zip(*pairs, strict=True))
    print(f"{with_it:.1f} µs a poll with metrics, {without:.1f} µs without (medians)")
    print(f"with metrics {statistics.median(shares):+.1f} %: {low:+.1f} to {high:+.1f}, by {count} pairs")


if __name__ == "__main__":
    sys.exit(main())
