"""Tells vendors again to delete what they keep of people who are deleted here. For a scheduler, each ten minutes."""

from typing import Any

from django.utils import timezone

from core.runs import BoundedCommand
from users.models import VendorDeletion
from users.vendor_deletions import reconcile_deletions


class Command(BoundedCommand):
    help = "Tells vendors to delete what they keep of deleted people, where they failed. Twice at once is harmless."

    def run(self, **options: Any) -> None:
        summary = reconcile_deletions(now=timezone.now())
        left = VendorDeletion.objects.count()
        self.stdout.write(f"deleted {summary.told} things at vendors, {summary.failed} failed, {left} left")
