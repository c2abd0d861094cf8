"""What this app announces to the rooms above the one in which it happens."""

from django.dispatch import Signal

invited = Signal()
"""Somebody is invited. Arguments: `invitation`, which is stored. Sent in its transaction, under the group's lock."""
