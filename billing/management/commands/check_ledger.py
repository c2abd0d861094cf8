"""Proves that the ledger is sound. For a scheduler, each day; it changes nothing, and blocks nobody."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.audit.invariants import check_ledger
from billing.audit.report import Finding, table


class Command(BaseCommand):
    help = "Checks balances, triggers, constraints, top-ups, refunds and disputes. Exits with 1 when one is wrong."

    def handle(self, *args: Any, **options: Any) -> None:
        findings = list(check_ledger(now=timezone.now()))
        lines = [(each.check, each.rows, each.wrong) for each in findings]
        self.stdout.write("\n".join(table(("", "rows", "wrong"), *lines)))
        for warning in findings:
            if warning.wrong and warning.is_warning:
                self.stdout.write(f"Look at this: {sentence(warning)}")
        wrong = [sentence(each) for each in findings if each.wrong and not each.is_warning]
        if wrong:
            raise CommandError("\n".join(("The ledger is not sound.", *wrong)))


def sentence(finding: Finding) -> str:
    more = ", …" if finding.wrong > len(finding.named) else ""
    return f"{finding.check}: {finding.wrong:,} not ({', '.join(finding.named)}{more})"
