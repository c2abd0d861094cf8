"""One storm: a fresh database, a server, everything that Twilio tells about one story, and what became of it."""

import re
from dataclasses import dataclass, field

from bench.database import manage, postgresql_beside
from bench.storm.posts import Disorder, Post, in_order, introductions
from bench.storm.senders import Delivery, Figures
from bench.storm.server import Killer, environment, serve, tell_the_truth
from bench.storm.state import expected, stored
from bench.storm.story import Story
from tests.doubles.twilio import TwilioDouble

Chains = list[list[Post]]
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
    announced: int = 0
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


def run(plan: Plan, server_url: str, prepared: str) -> Outcome:
    """`prepared` names a database that is migrated and filled: it is copied."""
    story, outcome = Story.of(plan.seed, plan.conferences, plan.events), Outcome()
    disorder = Disorder(story, plan.seed, lose=plan.lose, repeat=plan.repeat)
    chains = disorder.posts if plan.disorderly else in_order(story)
    delivered = disorder.delivered if plan.disorderly else set(story.callbacks())
    with postgresql_beside(server_url, "_storm_run", like=prepared) as url, TwilioDouble() as double:
        tell_the_truth(double, story)
        variables = environment(url, double.url)
        deliver(plan, introductions(story), chains, variables, outcome)
        outcome.announced = len(double.notifications)
        if outcome.announced > len(story.conferences):
            outcome.differences.append(f"{outcome.announced} announcements of {len(story.conferences)} conferences")
        before = stored(url).differences(expected(story, delivered))
        outcome.differences += [f"before Twilio was asked: {line}" for line in before]
        ask_twilio(variables)
        truth = expected(story, set(story.callbacks()), delivered)
        outcome.differences += [f"in the end: {line}" for line in stored(url).differences(truth)]
    return outcome


def deliver(plan: Plan, first: Chains, then: Chains, variables: dict[str, str], outcome: Outcome) -> None:
    """Every fourth kill falls among the first, the others among what comes then."""
    with serve(plan.workers, variables) as server:
        killer = Killer(server, plan.seed)
        early = plan.kills // 4
        for chains, kills in ((first, early), (then, plan.kills - early)):
            at = {len(chains) * (each + 1) // (kills + 1): killer.kill for each in range(kills)}
            outcome.figures.add(Delivery(server.port, chains, plan.senders, plan.rate, at).run())
        server.log.seek(0)
        outcome.kills, outcome.log = killer.kills, server.log.read().decode(errors="replace")


def ask_twilio(variables: dict[str, str]) -> None:
    """Reconciles until everything was asked about."""
    for _ in range(MOST_RECONCILIATIONS):
        said = manage(variables, "reconcile_calls", "--silent", "0")
        conferences, calls, failed = (int(number) for number in re.findall("[0-9]+", said)[:3])
        if not failed and max(conferences, calls) < AT_ONCE:
            return
    raise RuntimeError(f"Twilio was asked {MOST_RECONCILIATIONS} times, and something is left: {said}")
