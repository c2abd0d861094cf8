"""What a run came to: its figures, and whether it failed."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.chaos.clients import Client
from bench.chaos.couriers import Outbox
from bench.chaos.disturbances import Outage
from bench.chaos.line import UNAVAILABLE, Answer, Line
from bench.chaos.stripe import ChaoticStripe, Trouble

BACK_WITHIN = 5.0  # seconds after PostgreSQL accepts connections again
MOST_SHOWN = 20


@dataclass
class Outcome:
    line: Line
    stripe: ChaoticStripe
    outbox: Outbox
    clients: list[Client]
    outages: list[Outage]
    kills: int = 0
    reconciled: int = 0
    finished_after: float = 0.0
    differences: dict[str, list[str]] = field(default_factory=dict)
    log: str = ""

    @property
    def accepted(self) -> int:
        return sum(len(client.promises) for client in self.clients)

    @property
    def times_back(self) -> list[float]:
        """One for each time that PostgreSQL was gone."""
        return [self.line.time_back(outage.over) for outage in self.outages]

    def faults(self) -> list[str]:
        """Why this run failed; empty when it did not."""
        found = [f"{number} x {said}" for said, number in self.line.faults().items()]
        found += [f"{name}: {line}" for name, lines in self.differences.items() for line in lines[:MOST_SHOWN]]
        found += [f"back only after {each:.1f} s" for each in self.times_back if each > BACK_WITHIN]
        found += [f"{each.door} found no database, which was there" for each in self.late_refusals()]
        needed = {"was accepted": self.accepted, "was killed": self.kills, "was restarted": len(self.outages)}
        needed["came by a webhook"] = self.line.count("stripeWebhook", status=204)
        return found + [f"nothing {what}" for what, number in needed.items() if not number]

    def late_refusals(self) -> Iterator[Answer]:
        """Those who were told that there is no database, long after there was one again."""
        gone = [(outage.begun, outage.over + BACK_WITHIN) for outage in self.outages]
        for each in self.line.answers:
            if each.code == UNAVAILABLE and not any(a <= each.answered and each.asked <= b for a, b in gone):
                yield each

    def figures(self) -> dict[str, float]:
        return {
            "requests": len(self.line.answers),
            "payments asked for": self.line.count("addMoney", "createCharge"),
            "  accepted": self.accepted,
            "  declined": sum(len(client.refusals) for client in self.clients),
            "  waiting for consent": sum(client.consents for client in self.clients),
            "409": self.line.count(status=409),
            "503": self.line.count(status=503),
            "  without a database": self.line.count(status=503, code=UNAVAILABLE),
            "connections that broke": self.line.count(status=0),
            "workers killed": self.kills,
            "PostgreSQL gone": len(self.outages),
            "  longest time back, s": round(max(self.times_back, default=0.0), 2),
            "Stripe was asked": self.stripe.met.total(),
            **{f"  {trouble.value}": self.stripe.met[trouble] for trouble in Trouble},
            "payments at Stripe": len(self.stripe.taken()),
            "webhooks": self.outbox.told,
            "  never sent": self.outbox.never,
            "  deliveries": self.line.count("stripeWebhook"),
            "  given up": self.outbox.given_up,
            "reconciled meanwhile": self.reconciled,
            "finished after, s": round(self.finished_after, 1),
            **{name: len(lines) for name, lines in self.differences.items()},
        }
