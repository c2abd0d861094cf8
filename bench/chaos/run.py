"""One run: a database and a server that break all the time, clients who pay through them, and the books afterwards."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Event

from bench.chaos.books import Books, pending
from bench.chaos.clients import Client, introduce, watch
from bench.chaos.cluster import Cluster
from bench.chaos.couriers import COURIERS, Outbox
from bench.chaos.disturbances import Restarter, kill_workers
from bench.chaos.line import Line
from bench.chaos.outcome import Outcome
from bench.chaos.stripe import ChaoticStripe
from bench.database import ROOT, manage
from bench.server import Server, gunicorn
from bench.storm.server import Killer
from bench.storm.server import environment as storms
from tests.doubles.stripe import SECRET_KEY, WEBHOOK_SECRET

PEOPLE_A_CLIENT = 4
BETWEEN_RECONCILIATIONS = 10.0  # seconds; production has minutes
CALM = 5.0  # seconds in which the clients still pay
FINISHED_WITHIN, PAUSE = 60.0, 3.0
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Plan:
    seed: int
    minutes: float
    clients: int
    workers: int


class Run:
    def __init__(self, plan: Plan, cluster: Cluster) -> None:
        self.plan, self.cluster = plan, cluster
        self.outbox = Outbox(plan.seed)
        self.stripe = ChaoticStripe(plan.seed, self.outbox)
        self.restarter = Restarter(cluster, plan.seed)

    def go(self) -> Outcome:
        with self.stripe:
            self.variables = environment(self.cluster.url, self.stripe.url)
            manage(self.variables, "migrate", "--noinput", "--verbosity", "0")
            flags = ["--workers", str(self.plan.workers)]
            with gunicorn("voicechat.wsgi", flags, self.variables, probe="/healthz") as server:
                self.begin(server)
                self.break_everything(Killer(server, self.plan.seed))
                self.finish()
                server.log.seek(0)
                self.outcome.log = server.log.read().decode(errors="replace")
        return self.outcome

    def begin(self, server: Server) -> None:
        """Everybody has a card before anything breaks."""
        code = f"from bench.chaos.fill import fill; fill({PEOPLE_A_CLIENT * self.plan.clients})"
        known = json.loads(manage(self.variables, "shell", "--no-imports", "-c", code))
        self.outbox.line = line = Line(server.port)
        self.people = introduce(line, known)
        clients = [Client(line, self.people, f"{self.plan.seed}-{each}") for each in range(self.plan.clients)]
        self.outcome = Outcome(line, self.stripe, self.outbox, clients, self.restarter.outages)

    def break_everything(self, killer: Killer) -> None:
        self.stripe.calm = False
        with at_work(*[self.outbox.work] * COURIERS):
            payers = [client.run for client in self.outcome.clients]
            with at_work(*payers, partial(watch, self.outcome.line, self.people[0])):
                with at_work(self.restarter.run, partial(kill_workers, killer), self.reconcile):
                    time.sleep(60 * self.plan.minutes)
                time.sleep(CALM)
            self.stripe.calm = True
        self.outcome.kills = killer.kills

    def reconcile(self, stop: Event) -> None:
        """As the scheduler would; it may well fail now."""
        while not stop.wait(BETWEEN_RECONCILIATIONS):
            self.complaints("reconcile_payments")
            self.outcome.reconciled += 1

    def finish(self) -> None:
        """What is left pending is finished by the next reconciliations."""
        begun = time.monotonic()
        complaints = self.complaints("reconcile_payments")
        while (complaints or pending(self.cluster.url)) and time.monotonic() < begun + FINISHED_WITHIN:
            time.sleep(PAUSE)
            complaints = self.complaints("reconcile_payments")
        self.outcome.finished_after = time.monotonic() - begun
        books = Books.of(self.cluster.url, self.stripe.taken(), self.outcome.clients)
        commands = {"reconcile_payments": complaints, "check_ledger": self.complaints("check_ledger")}
        self.outcome.differences = books.differences() | commands

    def complaints(self, command: str) -> list[str]:
        """What a management command says as it fails; empty where it does not."""
        line = [sys.executable, "manage.py", command]
        done = subprocess.run(line, cwd=ROOT, env=self.variables, check=False, capture_output=True, text=True)
        return (done.stderr or done.stdout).splitlines() if done.returncode else []


@contextmanager
def at_work(*works: Callable[[Event], None]) -> Iterator[None]:
    """All of them, at once, until the end of the block. Raises what one of them raised."""
    stop = Event()
    with ThreadPoolExecutor(len(works)) as pool:
        futures = [pool.submit(work, stop) for work in works]
        try:
            yield
        finally:
            stop.set()
    for future in futures:
        future.result()


def environment(database: str, stripe: str) -> dict[str, str]:
    """The storm's, with Stripe at hand and sign-in on, by this machine's own tokens."""
    real = {"SK_TEST": SECRET_KEY, "STRIPE_API_BASE": stripe, "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET}
    ours = {"OIDC_ISSUER": "", "OIDC_AUDIENCE": "", "SIGN_IN": "on", "FAILPOINT": ""}
    limits = {"THROTTLE_PAYMENTS": "off", "THROTTLE_REFUSED_CARDS": "off"}
    return {**storms(database, NOWHERE), **real, **ours, **limits}
