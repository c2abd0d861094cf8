"""What owners settle for their group's calls: whether somebody is let in, whether who is alone is hung up on, and the
language in which all are spoken to.

docs/decisions/call-locks.md says why a lock ends with its call.
"""

from collections.abc import Callable

from django.http import Http404

from core.transactions import atomic_and_retried
from groups.models import Group
from groups.services import lock_group
from voice.models import GroupCall


@atomic_and_retried
def settle(*, group_id: int, check: Callable[[], None], **rules: bool | str) -> None:
    """Where nobody is on, a lock stays until it is taken off. Raises Http404."""
    group = lock_group(group_id)
    check()
    GroupCall.objects.update_or_create(pk=group.pk, defaults=rules)


def rules_of(group_id: int) -> GroupCall:
    """Raises Http404."""
    if not Group.objects.filter(pk=group_id).exists():
        raise Http404
    return GroupCall.objects.filter(pk=group_id).first() or GroupCall(pk=group_id)
