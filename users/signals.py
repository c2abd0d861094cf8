"""What this app announces to the floors above."""

from django.dispatch import Signal

signed_up = Signal()
"""A new person's row is committed. Arguments: `user`. Sent before the answer is written."""

avatar_replaced = Signal()
"""A person shows another picture, or none. Arguments: `user`; `old`, the address of the one before. Sent
inside the transaction."""

number_shared = Signal()
"""Somebody has verified a telephone that others had verified. Arguments: `people`, the ids of those, who are to be
told; `newcomer`, the person; `ending`, the number's last two digits. Sent inside the transaction."""
