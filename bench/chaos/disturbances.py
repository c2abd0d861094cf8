"""What breaks: workers are killed, PostgreSQL crashes, restarts and stays away for a while."""

import random
import time
from dataclasses import dataclass
from threading import Event

from bench.chaos.cluster import Cluster
from bench.storm.server import Killer

BETWEEN_KILLS = (1.5, 5.0)  # seconds
BETWEEN_OUTAGES = (5.0, 10.0)
OUTAGES = (("immediate", 0.0), ("fast", 0.0), ("immediate", 2.0))
"""How PostgreSQL is stopped, and for how many seconds it stays away."""


@dataclass(frozen=True)
class Outage:
    """`over` is when PostgreSQL accepted connections again."""

    begun: float
    over: float


def kill_workers(killer: Killer, stop: Event) -> None:
    while not stop.wait(killer.chance.uniform(*BETWEEN_KILLS)):
        killer.kill()


class Restarter:
    def __init__(self, cluster: Cluster, seed: int) -> None:
        self.cluster, self.chance = cluster, random.Random(f"outages {seed}")
        self.outages: list[Outage] = []

    def run(self, stop: Event) -> None:
        while not stop.wait(self.chance.uniform(*BETWEEN_OUTAGES)):
            mode, away = OUTAGES[len(self.outages) % len(OUTAGES)]
            begun = time.monotonic()
            self.cluster.stop(mode)
            time.sleep(away)
            self.cluster.start()
            self.outages.append(Outage(begun, time.monotonic()))
