"""Many senders at once over kept connections. Each repeats what was not answered, as Twilio does (`#rc=5`)."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count
from threading import Thread

from bench.storm.posts import Chains, Post

MOST_REPEATS = 5
PAUSE = 0.05  # seconds before the first repeat; each further one waits as much longer
TIMEOUT = 30
MOST_SECONDS = 300


@dataclass
class Figures:
    seconds: float = 0.0
    answers: list[tuple[int, float]] = field(default_factory=list)
    """Each answer's status and how long it took, in seconds; where a pace was set, from when it was due."""
    repeats: list[str] = field(default_factory=list)
    """Why a delivery was repeated."""
    given_up: list[str] = field(default_factory=list)

    def add(self, other: "Figures") -> None:
        self.seconds += other.seconds
        self.answers += other.answers
        self.repeats += other.repeats
        self.given_up += other.given_up

    def statuses(self) -> Counter[int]:
        return Counter(status for status, _ in self.answers)

    def failures(self) -> int:
        return sum(number for status, number in self.statuses().items() if status >= 500)

    def accepted(self) -> int:
        return sum(number for status, number in self.statuses().items() if status < 300)

    def milliseconds(self, part: int) -> float:
        """The answer time that so many in a hundred stay below."""
        times = sorted(seconds for _, seconds in self.answers) or [0.0]
        return 1000 * times[len(times) * part // 100]


class Delivery:
    """`chains` of posts: a chain stays in its order, and each sender takes the next one that is left."""

    def __init__(self, port: int, chains: Chains, senders: int, rate: float, at: dict[int, Callable[[], None]]) -> None:
        self.port, self.chains, self.senders, self.rate, self.at = port, chains, senders, rate, at
        self.figures, self.numbers = Figures(), count()

    def run(self) -> Figures:
        self.begin = time.perf_counter()
        threads = [Thread(target=self.send, daemon=True) for _ in range(self.senders)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.figures.seconds = time.perf_counter() - self.begin
        return self.figures

    def send(self) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        while (number := next(self.numbers)) < len(self.chains):
            if number in self.at:
                self.at[number]()
            due = self.wait(number)
            for each in self.chains[number]:
                self.deliver(connection, each, due)
        connection.close()

    def wait(self, number: int) -> float | None:
        """Until the chain is due, where there is a pace."""
        if not self.rate:
            return None
        due = self.begin + number / self.rate
        time.sleep(max(0.0, due - time.perf_counter()))
        return due

    def deliver(self, connection: HTTPConnection, each: Post, due: float | None) -> None:
        for attempt in range(MOST_REPEATS + 1):
            time.sleep(PAUSE * attempt)
            begin = time.perf_counter()
            if begin - self.begin > MOST_SECONDS:
                break
            try:
                status = self.ask(connection, each)
            except (HTTPException, OSError) as fault:
                connection.close()
                self.figures.repeats.append(type(fault).__name__)
                continue
            self.figures.answers.append((status, time.perf_counter() - (due or begin)))
            if status < 500:
                return
            self.figures.repeats.append(str(status))
        self.figures.given_up.append(each.path)

    def ask(self, connection: HTTPConnection, each: Post) -> int:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": each.signature}
        connection.request("POST", each.path, each.body, headers)
        response = connection.getresponse()
        response.read()
        return response.status
