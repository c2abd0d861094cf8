"""The commands that a scheduler runs: each run is bounded, and says what it leaves.

Rows are tried by `core/attempts.py`, which stops where the run's time is over or a vendor does not answer.
"""

from typing import Any

from django.core.management.base import BaseCommand

from core.deadline import deadline, is_over

MOST_SECONDS = 50.0
"""So that a run is over before the next minute's begins, whatever vendors do: their calls share this time."""


class BoundedCommand(BaseCommand):
    """Its work stands in `run`. Says so where it was stopped."""

    the_rest = "the rest is for the next run"

    def handle(self, *args: Any, **options: Any) -> None:
        seconds = self.most_seconds(**options)
        with deadline(seconds):
            try:
                self.run(**options)
            finally:
                if is_over():
                    self.stdout.write(f"stopped after {seconds:.0f} s: {self.the_rest}")

    def most_seconds(self, **options: Any) -> float:
        return MOST_SECONDS

    def run(self, **options: Any) -> None:
        raise NotImplementedError
