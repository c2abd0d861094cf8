"""Tells vendors again to delete what they keep of people who are deleted here. For a scheduler, each ten minutes."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from users.models import VendorDeletion
from users.vendor_deletions import reconcile_deletions


class Command(BaseCommand):
    help = "Tells vendors to delete what they keep of deleted people, where they failed. Twice at once is harmless."

    def handle(self, *args: Any, **options: Any) -> None:
        summary = reconcile_deletions(now=timezone.now())
        left = VendorDeletion.objects.count()
        self.stdout.write(f"deleted {summary.told} things at vendors, {summary.failed} failed, {left} left")
