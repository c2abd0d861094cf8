"""One storm: a fresh database, a server, everything that Twilio tells about one story, and what became of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.database import manage, postgresql_beside
from bench.storm.announcements import announced, wait_until_told, worker
from bench.storm.posts import Chains, Disorder, in_order
from bench.storm.senders import Delivery, Figures
from bench.storm.server import Killer, environment, serve, tell_the_truth
from bench.storm.state import expected, stored
from bench.storm.story import Fact, Story
from tests.doubles.twilio import TwilioDouble

PARTS = 5
MOST_RECONCILIATIONS = 6
AT_ONCE = 500
"""So many rows of a kind does one reconciliation ask about at most."""


@dataclass(frozen=True)
class Plan:
    seed: int
    conferences: int
    events: int
    senders: int
    workers: int
    repeat: int = 3
    lose: float = 0.0
    rate: float = 0.0
    kills: int = 0
    disorderly: bool = True
    """Else everything is told once and in order."""


@dataclass
class Outcome:
    figures: Figures = field(default_factory=Figures)
    kills: int = 0
    announced: dict[str, int] = field(default_factory=dict)
    """How many conferences the group was told of, by what became of it."""
    differences: list[str] = field(default_factory=list)
    log: str = ""

    def faults(self) -> list[str]:
        """Why this storm is lost; empty when it is not."""
        found = self.differences[:20]
        if self.figures.failures():
            found.append(f"{self.figures.failures()} answers were 5xx")
        if self.figures.given_up:
            found.append(f"{len(self.figures.given_up)} deliveries were given up")
        if self.figures.accepted() != len(self.figures.answers) - self.figures.failures():
            found.append(f"authentic deliveries were refused: {dict(self.figures.statuses())}")
        if not self.figures.accepted():
            found.append("nothing was accepted")
        return found


class Run:
    def __init__(self, plan: Plan, url: str, twilio: TwilioDouble) -> None:
        self.plan, self.url, self.twilio = plan, url, twilio
        self.variables = environment(url, twilio.url)
        self.story, self.outcome = Story.of(plan.seed, plan.conferences, plan.events), Outcome()
        self.truth = self.story.facts()

    def go(self) -> Outcome:
        tell_the_truth(self.twilio, self.story)
        with worker(self.variables):
            delivered = self.deliver()
            ask_twilio(self.variables)
            wait_until_told(self.url)
        self.compare("in the end", self.truth, delivered)
        self.outcome.announced, wrong = announced(self.url, len(self.twilio.notifications))
        self.outcome.differences += wrong
        return self.outcome

    def deliver(self) -> set[Fact]:
        """What was delivered. The senders pause after each part: the state must be that of what was told until then."""
        with serve(self.plan.workers, self.variables) as server:
            killer = Killer(server, self.plan.seed)
            known: set[Fact] = set()
            for number, (chains, known) in enumerate(self.parts()):
                kills = self.kills_of(number)
                at = {len(chains) * (each + 1) // (kills + 1): killer.kill for each in range(kills)}
                delivery = Delivery(server.port, chains, self.plan.senders, self.plan.rate, at)
                self.outcome.figures.add(delivery.run())
                self.compare(f"after part {number}", known, known)
            server.log.seek(0)
            self.outcome.kills, self.outcome.log = killer.kills, server.log.read().decode(errors="replace")
        return known

    def kills_of(self, part: int) -> int:
        """The kills are spread evenly over all parts, the first among them."""
        return self.plan.kills * (part + 1) // (PARTS + 1) - self.plan.kills * part // (PARTS + 1)

    def parts(self) -> Iterator[tuple[Chains, set[Fact]]]:
        if not self.plan.disorderly:
            return iter([(in_order(self.story), self.truth)])
        return Disorder(self.story, self.plan.seed, lose=self.plan.lose, repeat=self.plan.repeat).parts(PARTS)

    def compare(self, when: str, known: set[Fact], delivered: set[Fact]) -> None:
        lines = stored(self.url).differences(expected(self.story, known, delivered))
        self.outcome.differences += [f"{when}: {line}" for line in lines]


def run(plan: Plan, server_url: str, prepared: str) -> Outcome:
    """`prepared` names a database that is migrated and filled: it is copied."""
    with postgresql_beside(server_url, "_storm_run", like=prepared) as url, TwilioDouble() as double:
        return Run(plan, url, double).go()


def ask_twilio(variables: dict[str, str]) -> None:
    """Reconciles until everything was asked about."""
    for _ in range(MOST_RECONCILIATIONS):
        said = manage(variables, "reconcile_calls", "--silent", "0")
        counts = re.search(r"asked about (\d+) conferences and (\d+) calls, (\d+) failed", said)
        conferences, calls, failed = map(int, counts.groups()) if counts else (AT_ONCE, AT_ONCE, 1)
        if not failed and max(conferences, calls) < AT_ONCE:
            return
    raise RuntimeError(f"Twilio was asked {MOST_RECONCILIATIONS} times, and something is left: {said}")
