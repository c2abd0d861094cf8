"""Phones on a group's call of which nobody knows whose they are."""

from collections.abc import Callable

from core.transactions import atomic_and_retried
from groups.services import lock_group
from voice.hang_ups import hang_up
from voice.models import Call, HangUp


@atomic_and_retried
def remove_unknown_callers(*, group_id: int, check: Callable[[], None]) -> int:
    """Hangs up on them, also on who is let in and has not joined yet; how many. They may call again, unless the call is
    locked. Raises Http404."""
    lock_group(group_id)
    check()
    legs = Call.objects.running().filter(group_id=group_id).of_nobody_known()
    found = legs.count()
    hang_up(legs, why=HangUp.Why.TAKEN_OFF)
    return found
