"""What this process has counted. While nothing is published it counts nothing."""

from bisect import bisect_left
from collections.abc import Callable
from threading import Lock
from typing import Any

import orjson

from core.metrics.families import BOUNDS, REQUEST_SECONDS, REQUESTS

Key = tuple[Any, ...]
"""A metric's name, and behind it what its labels are."""


class Counted:
    def __init__(self) -> None:
        self.is_on = False
        self.lock = Lock()
        self.counts: dict[Key, float] = {}
        self.times: dict[Key, list[float]] = {}
        """How many took up to each bound, how many longer, and last the sum of their seconds."""
        self.requests: dict[tuple[str, str, int], list[float]] = {}
        """The same of requests, by method, route and status: how many there were is in it too."""
        self.gauges: dict[str, Callable[[], float]] = {}
        """What is so at this moment, in this process."""
        self.elsewhere: dict[Key, Callable[[], float]] = {}
        """Where something is counted already."""

    def count(self, *key: Any) -> None:
        if self.is_on:
            with self.lock:
                self.counts[key] = self.counts.get(key, 0) + 1

    def time(self, seconds: float, *key: Any) -> None:
        if self.is_on:
            with self.lock:
                self._time(key, seconds)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request. Each poll comes here: one thing is looked up."""
        if self.is_on:
            with self.lock:
                taken = self.requests.get((method, route, status))
                if taken is None:
                    taken = self.requests[method, route, status] = none_yet()
                taken[bisect_left(BOUNDS, seconds)] += 1
                taken[-1] += seconds

    def _time(self, key: Key, seconds: float) -> None:
        taken = self.times.get(key)
        if taken is None:
            taken = self.times[key] = none_yet()
        taken[bisect_left(BOUNDS, seconds)] += 1
        taken[-1] += seconds

    def written(self) -> bytes:
        """All of it, as `Totals` reads it, which adds up what comes twice."""
        with self.lock:
            counts, times = list(self.counts.items()), [(key, [*each]) for key, each in self.times.items()]
            requests = [(key, [*each]) for key, each in self.requests.items()]
        counts += [((REQUESTS, *key), sum(taken[:-1])) for key, taken in requests]
        times += [((REQUEST_SECONDS, route), taken) for (_, route, _), taken in requests]
        counts += [(key, read()) for key, read in self.elsewhere.items()]
        gauges = [((name,), read()) for name, read in self.gauges.items()]
        return orjson.dumps({"counts": counts, "times": times, "gauges": gauges})


def none_yet() -> list[float]:
    return [0.0] * (len(BOUNDS) + 2)


class Totals:
    """The sum of several processes."""

    def __init__(self) -> None:
        self.counts: dict[Key, float] = {}
        self.times: dict[Key, list[float]] = {}

    def add(self, written: bytes, *, is_alive: bool) -> None:
        """Of a process that has ended what it counted stays, for counters only rise."""
        told = orjson.loads(written)
        for key, value in [*told["counts"], *(told["gauges"] if is_alive else ())]:
            self.counts[tuple(key)] = self.counts.get(tuple(key), 0) + value
        for key, taken in told["times"]:
            before = self.times.get(tuple(key), [0.0] * len(taken))
            self.times[tuple(key)] = [one + other for one, other in zip(before, taken, strict=True)]

    def written(self) -> bytes:
        return orjson.dumps({"counts": list(self.counts.items()), "times": list(self.times.items()), "gauges": []})


counted = Counted()
