"""Puts right what requests and webhooks left undone, and compares with Stripe. For a scheduler, each ten minutes."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from billing.audit.reconciliation import reconcile_payments
from billing.audit.report import shortened, table
from billing.refused_cards import prune_refusals
from core.runs import BoundedCommand
from core.vendors import NotConfigured
from users.idempotency import prune_answers
from users.limits import prune_limits

DAYS = 7


class Command(BoundedCommand):
    help = (
        "Finishes pending payments and compares the last days of Stripe's payments, refunds and disputes with the "
        "ledger; forgets limits and kept answers that have run out. Twice at once is harmless. Exits with 1 when a "
        "difference is left."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=DAYS, help="how far back to compare (%(default)s)")

    def run(self, **options: Any) -> None:
        prune_limits(now=timezone.now())
        prune_answers(now=timezone.now())
        prune_refusals(now=timezone.now())
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
