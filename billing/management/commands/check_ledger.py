"""Proves that the ledger is sound. For a scheduler, each day; it changes nothing, and blocks nobody."""

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from billing.audit.invariants import check_ledger
from billing.audit.report import NOT_SOUND, Finding, sentence, table
from core.runs import BoundedCommand

MOST_SECONDS = 600.0
"""Longer than the others have, for it asks no vendor and comes once a day: it reads tens of millions of entries."""
TOLD_EACH = 5.0
"""Seconds."""


class Command(BoundedCommand):
    help = (
        "Checks balances, triggers, constraints, top-ups, refunds, disputes, and what calls were charged. Changes "
        "nothing, and may be interrupted. Exits with 1 when one is wrong, or was not looked at."
    )
    the_rest = "what is not in the table was not looked at. --seconds gives it longer"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, default=MOST_SECONDS, help="how long it may take (%(default).0f)")

    def most_seconds(self, **options: Any) -> float:
        seconds: float = options["seconds"]
        return seconds

    def run(self, **options: Any) -> None:
        self.told_at = time.monotonic()
        findings = list(check_ledger(now=timezone.now(), tell=self.tell))
        lines = [(each.check, each.rows, each.wrong) for each in findings if each.rows or each.is_whole]
        self.stdout.write("\n".join(table(("", "rows", "wrong"), *lines)))
        for warning in findings:
            if warning.wrong and warning.is_warning:
                self.stdout.write(f"Look at this: {sentence(warning)}")
        wrong = [sentence(each) for each in findings if each.wrong and not each.is_warning]
        left = [not_whole(each) for each in findings if not each.is_whole]
        if wrong or left:
            verdict = NOT_SOUND if wrong else "What was looked at is sound."
            raise CommandError("\n".join((verdict, *wrong, *left)))

    def tell(self, finding: Finding) -> None:
        """A line now and then, so that who waits sees how far it is."""
        if time.monotonic() - self.told_at >= TOLD_EACH:
            self.told_at = time.monotonic()
            self.stdout.write(f"{finding.check}: {finding.rows:,} so far")
            self.stdout.flush()


def not_whole(finding: Finding) -> str:
    how_far = f"the first {finding.rows:,} rows alone were" if finding.rows else "it was not"
    return f"{finding.check}: {how_far} looked at"
