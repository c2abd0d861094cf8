"""Puts right what requests and webhooks left undone, and compares with Stripe. For a scheduler, each ten minutes."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from billing.audit.reconciliation import reconcile_payments
from billing.audit.report import shortened, table
from core.runs import BoundedCommand
from core.vendors import NotConfigured

DAYS = 7


class Command(BoundedCommand):
    help = (
        "Finishes pending payments and compares the last days of Stripe's payments, refunds and disputes with the "
        "ledger. Twice at once is harmless. Exits with 1 when a difference is left."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=DAYS, help="how far back to compare (%(default)s)")

    def run(self, **options: Any) -> None:
        try:
            report = reconcile_payments(now=timezone.now(), days=options["days"])
        except NotConfigured as error:
            raise CommandError(str(error.detail)) from error
        rows = [(line.title, line.looked_at, line.put_right, len(line.left)) for line in report.lines]
        self.stdout.write("\n".join(table(("", "looked at", "put right", "left"), *rows)))
        if report.foreign:
            self.stdout.write(f"{report.foreign:,} at Stripe are not ours")
        if report.left:
            raise CommandError("\n".join((f"{len(report.left):,} left", *shortened(report.left))))
