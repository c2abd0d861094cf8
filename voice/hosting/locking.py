"""Locking a group's call: nobody is let in, and who is on stays. The lock ends with the call.

docs/decisions/call-locks.md says why.
"""

from collections.abc import Callable

from core.transactions import atomic_and_retried
from groups.services import lock_group
from voice.models import GroupCall


@atomic_and_retried
def set_locked(*, group_id: int, locked: bool, check: Callable[[], None]) -> None:
    """Where nobody is on, a lock stays until it is taken off. Raises Http404."""
    group = lock_group(group_id)
    check()
    GroupCall.objects.update_or_create(pk=group.pk, defaults={"locked": locked})
