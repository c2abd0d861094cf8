"""Ends calls beyond their payer's balance; asks Twilio about silent calls and about devices. For each minute."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from groups.notifications.devices import forget_gone_devices
from voice.conferences.announcing import announce_again
from voice.conferences.reconciliation import SILENT, reconcile_calls
from voice.credit.cut_off import cut_off


class Command(BaseCommand):
    help = "Ends calls beyond their payer's balance, and asks Twilio about silent ones. Twice at once is harmless."

    def add_arguments(self, parser: CommandParser) -> None:
        seconds = int(SILENT.total_seconds())
        parser.add_argument("--silent", type=int, default=seconds, help="seconds of silence (%(default)s)")

    def handle(self, *args: Any, silent: int, **options: Any) -> None:
        now = timezone.now()
        cut = cut_off(now=now)  # first: it is what cannot wait
        summary = reconcile_calls(now=now, silent=timedelta(seconds=silent))
        self.stdout.write(
            f"ended {cut.ended} calls of used-up balances, asked about {summary.conferences} conferences and "
            f"{summary.calls} calls, {cut.failed + summary.failed} failed; "
            f"{summary.in_doubt} not known to Twilio for an hour; told {announce_again(now=now)} groups late; "
            f"forgot {forget_gone_devices(now=now)} devices"
        )
