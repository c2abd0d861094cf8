"""Proves that no job is lost and none is done twice where the vendor takes a key, whatever is killed.

    python -m bench.jobs [--jobs 20000] [--kills 200] [--restarts 20] [--workers 4] [--seed 1] [--sqlite]

Workers are killed (`kill -9`) and begin anew, PostgreSQL crashes and restarts, the vendor loses answers, and jobs come
all the while, in transactions of which every second is rolled back. PostgreSQL is this run's own (bench/chaos); with
--sqlite it is a file, and nothing restarts. Exits with 1 where a job was lost, or something was done that never was to
be, or a job that is due still waits half a minute after all is well again.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.chaos.cluster import Cluster, MissingError, temporary_cluster
from bench.database import ROOT, manage
from bench.jobs.vendor import VENDOR, Vendor, served

LATEST = 30.0
PATIENCE = 300.0


@dataclass
class Run:
    plan: argparse.Namespace
    environment: dict[str, str]
    cluster: Cluster | None
    vendor: Vendor
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    kills: int = 0
    restarts: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.plan.seed)

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self.start("work", "--threads", "4")

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        log = subprocess.DEVNULL
        return subprocess.Popen(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=self.environment, stdout=log, stderr=log
        )

    def go(self) -> dict[str, float]:
        begun = time.monotonic()
        self.workers = [self.start_worker() for _ in range(self.plan.workers)]
        producer = self.start(
            "shell", "--no-imports", "-c", f"from bench.jobs.produce import produce; produce({self.plan.jobs})"
        )
        try:
            while producer.poll() is None or self.kills < self.plan.kills or self.restarts < self.plan.restarts:
                self.disturb()
                time.sleep(0.05)
            calm = time.monotonic()
            time.sleep(LATEST)
            late = self.standing()["late"]
            while (left := self.standing())["unfinished"] and time.monotonic() - calm < PATIENCE:
                time.sleep(1)
            figures = {"finished after, s": round(time.monotonic() - calm), "oldest due job is late by, s": late}
        finally:
            for process in (producer, *self.workers):
                process.kill()
                process.wait()
        return {"in all, s": round(time.monotonic() - begun), **figures, **self.outcome(left)}

    def disturb(self) -> None:
        """As far as the work has come: so they are spread over all of it."""
        share = len(self.vendor.done) / self.plan.jobs
        if self.kills < self.plan.kills * share:
            place = self.chance.randrange(len(self.workers))
            self.workers[place].send_signal(signal.SIGKILL)
            self.workers[place].wait()
            self.workers[place] = self.start_worker()
            self.kills += 1
        if self.cluster and self.restarts < self.plan.restarts * share:
            self.cluster.stop(self.chance.choice(("fast", "immediate")))
            time.sleep(self.chance.uniform(0, 2))
            self.cluster.start()
            self.restarts += 1

    def standing(self) -> dict[str, float]:
        code = (
            "import json; from django.utils import timezone; from core.jobs.models import Job; "
            "from core.jobs.standing import standing; "
            "print(json.dumps({'late': standing(timezone.now()).late_seconds, "
            "'unfinished': Job.objects.unfinished().filter(task__startswith='bench').count(), "
            "'given up': Job.objects.filter(state='dead', task__startswith='bench').count(), "
            "'done': Job.objects.filter(state='done', task__startswith='bench').count(), "
            "'begun again': sum(n - 1 for n in Job.objects.filter(tries__gt=1).values_list('tries', flat=True))}))"
        )
        told: dict[str, float] = json.loads(manage(self.environment, "shell", "--no-imports", "-c", code))
        return told

    def outcome(self, left: dict[str, float]) -> dict[str, float]:
        wanted = set(range(1, self.plan.jobs + 1))
        return {
            "workers killed": self.kills,
            "PostgreSQL restarted": self.restarts,
            "jobs begun again": left["begun again"],
            "asked of the vendor": self.vendor.asked.total(),
            "  more than once by one key": sum(count > 1 for count in self.vendor.asked.values()),
            "done": len(self.vendor.done),
            "LOST": len(wanted - self.vendor.done),
            "DONE THAT WERE ROLLED BACK": len(self.vendor.done - wanted),
            "UNFINISHED": left["unfinished"],
            "GIVEN UP": left["given up"],
            "NOT WRITTEN DOWN AS DONE": self.plan.jobs - left["done"],
        }


@contextmanager
def database(plan: argparse.Namespace) -> Iterator[tuple[str, Cluster | None]]:
    if plan.sqlite:
        with TemporaryDirectory(prefix="jobs") as folder:
            yield f"sqlite:///{Path(folder) / 'db.sqlite3'}", None
    else:
        with temporary_cluster() as cluster:
            yield cluster.url, cluster


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.jobs", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--restarts", type=int, default=20)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sqlite", action="store_true", help="a file instead of PostgreSQL; nothing restarts")
    plan = parser.parse_args()
    plan.restarts = 0 if plan.sqlite else plan.restarts
    return plan


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: workers and PostgreSQL are stopped
    plan, vendor = arguments(), Vendor(1)
    try:
        with database(plan) as (url, cluster), served(vendor) as address:
            ours = {"DATABASE_URL": url, "DB_ENV": "testing", VENDOR: address, "no_proxy": "127.0.0.1"}
            environment = {**os.environ, "SECRET_KEY": "only for this bench " * 3, **ours}
            manage(environment, "migrate", "--noinput", "--verbosity", "0")
            print(f"{plan.jobs:,} jobs, {plan.workers} workers, seed {plan.seed} ...", flush=True)
            figures = Run(plan, environment, cluster, vendor).go()
    except MissingError as error:
        sys.exit(str(error))
    for name, figure in figures.items():
        print(f"{name:<32}{figure:>10,.0f}")
    wrong = [name for name in figures if name.isupper() and figures[name]]
    late = figures["oldest due job is late by, s"] > LATEST
    print("\nFAILED: " + ", ".join(wrong + ["late"] * late) if wrong or late else "\nNothing was lost, or done twice.")
    return 1 if wrong or late else 0


if __name__ == "__main__":
    sys.exit(main())
