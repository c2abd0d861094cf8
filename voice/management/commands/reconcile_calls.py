"""Asks Twilio about calls that have been silent for too long, and about devices. For a scheduler, each minute."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from voice.devices import forget_gone_devices
from voice.reconciliation import SILENT, reconcile


class Command(BaseCommand):
    help = "Asks Twilio about silent conferences and calls. Twice at once is harmless."

    def add_arguments(self, parser: CommandParser) -> None:
        seconds = int(SILENT.total_seconds())
        parser.add_argument("--silent", type=int, default=seconds, help="seconds of silence (%(default)s)")

    def handle(self, *args: Any, silent: int, **options: Any) -> None:
        now = timezone.now()
        summary = reconcile(now=now, silent=timedelta(seconds=silent))
        self.stdout.write(
            f"asked about {summary.conferences} conferences and {summary.calls} calls, {summary.failed} failed; "
            f"forgot {forget_gone_devices(now=now)} devices"
        )
