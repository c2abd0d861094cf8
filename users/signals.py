"""What this app announces to the floors above."""

from django.dispatch import Signal

signed_up = Signal()
"""A new person's row is committed. Arguments: `user`. Sent before the answer is written."""
