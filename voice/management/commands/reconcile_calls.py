"""Ends calls that nobody pays or that people may be on no more; asks Twilio about silent calls. For each minute."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from core.runs import BoundedCommand
from groups.notifications.devices import forget_gone_devices
from voice.captions.healing import heal_captions
from voice.conferences.alone import see_to_all
from voice.conferences.events import see_to_who_stayed_out
from voice.conferences.presence import heal_presence
from voice.conferences.reconciliation import SILENT, reconcile_calls
from voice.credit.captions import end_captions_without_money
from voice.credit.cut_off import cut_off
from voice.credit.warnings import warn_of_ends
from voice.hang_ups import repeat_hang_ups, still_on
from voice.ringing.legs import see_to_old_rings


class Command(BoundedCommand):
    help = "Ends calls that nobody pays or may be on, and asks about silent ones. Twice at once is harmless."

    def add_arguments(self, parser: CommandParser) -> None:
        seconds = int(SILENT.total_seconds())
        parser.add_argument("--silent", type=int, default=seconds, help="seconds of silence (%(default)s)")

    def run(self, **options: Any) -> None:
        now = timezone.now()
        hung = repeat_hang_ups(now=now)  # first: who may not listen cannot wait, nor can money
        cut = cut_off(now=now)
        unseen = see_to_old_rings(now=now) + see_to_who_stayed_out(now=now)
        summary = reconcile_calls(now=now, silent=timedelta(seconds=options["silent"]))
        unseen += see_to_all(now=now) + end_captions_without_money(now=now) + heal_captions(now=now)
        unwarned = unseen + warn_of_ends(now=now)
        self.stdout.write(
            f"ended {cut.ended} calls of used-up balances, asked about {summary.conferences} conferences and "
            f"{summary.calls} calls, {hung.failed + cut.failed + summary.failed + unwarned} failed; "
            f"hung up on {hung.ended} calls, {still_on(now=now)} still on; "
            f"took back {heal_presence(now=now)} call statuses; "
            f"{summary.in_doubt} not known to Twilio for an hour; "
            f"forgot {forget_gone_devices(now=now)} devices"
        )
