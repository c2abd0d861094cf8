"""The commands that a scheduler runs each minute or ten: each run is bounded, and what it leaves is for the next one.

Rows are tried by `core/attempts.py`, which stops where the run's time is over or a vendor does not answer.
"""

from typing import Any

from django.core.management.base import BaseCommand

from core.deadline import deadline, is_over

MOST_SECONDS = 50.0
"""So that a run is over before the next minute's begins, whatever vendors do: their calls share this time."""
OUT_OF_TIME = f"stopped after {MOST_SECONDS:.0f} s: the rest is for the next run"


class BoundedCommand(BaseCommand):
    """Its work stands in `run`. Says so where it was stopped."""

    def handle(self, *args: Any, **options: Any) -> None:
        with deadline(MOST_SECONDS):
            try:
                self.run(**options)
            finally:
                if is_over():
                    self.stdout.write(OUT_OF_TIME)

    def run(self, **options: Any) -> None:
        raise NotImplementedError
