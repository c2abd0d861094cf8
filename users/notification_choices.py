"""By which ways people want to be told: what they chose, or the defaults."""

from collections.abc import Callable

from django.shortcuts import get_object_or_404

from core.transactions import atomic_and_retried
from users.models import NotificationChoices, User


def choices_of(user_id: int) -> NotificationChoices:
    """The defaults, not stored, for who has never chosen."""
    return NotificationChoices.objects.filter(pk=user_id).first() or NotificationChoices(pk=user_id)


@atomic_and_retried
def choose(*, user_id: int, check: Callable[[], None] = lambda: None, **choices: bool) -> NotificationChoices:
    """Changes those that are named. `check` asks for permission once more, under the person's lock. Raises Http404."""
    get_object_or_404(User.objects.select_for_update(no_key=True).only("pk"), pk=user_id)
    check()
    if choices:
        NotificationChoices.objects.update_or_create(pk=user_id, defaults=choices)
    return choices_of(user_id)
