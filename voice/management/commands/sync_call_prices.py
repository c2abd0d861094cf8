"""Asks Twilio what ended calls cost and charges their payers. For a scheduler; twice at once is harmless.

What is left for the next run was due and got no answer: where that does not go away, Twilio is not reached.
"""

from typing import Any

from django.utils import timezone

from core.runs import BoundedCommand
from voice.credit.prices import sync_prices


class Command(BoundedCommand):
    help = "Fetches the prices of ended calls, with growing pauses, and posts them to the ledger."

    def run(self, **options: Any) -> None:
        summary = sync_prices(now=timezone.now())
        self.stdout.write(
            f"priced {summary.priced}, still waiting {summary.waiting}, "
            f"without a price after a day {summary.given_up}; "
            f"charged {summary.settled} at our own rates, left {summary.left} for the next run"
        )
