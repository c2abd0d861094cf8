"""Presence that clients wrote, and that they may never take back: a client that crashed must not leave a ghost.

What Twilio tells is truer (`events`). What nobody but a client says, of somebody without a leg, stays until the client
takes it back, a call of the group ends, or four hours have passed, which is as long as a call can last.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from core.transactions import atomic_and_retried, lock_rows
from groups.models import Group, Participant
from groups.services import take_off_list
from users.models import User
from voice.models import Call

STAYS = timedelta(hours=4)
MOST_AT_ONCE = 500


def without_a_leg(group: Group) -> set[int]:
    """Who is on the group's list and has no leg on its call, nor one that was let in and has not joined yet.

    Runs under the group's lock.
    """
    legs = Call.objects.filter(group_id=group.pk)
    on = legs.filter(is_on=True) | legs.filter(end_time=None, conference=None)
    listed = group.participants.values_list("user_id", flat=True)
    return set(listed) - set(on.values_list("user_id", flat=True))


def set_call_status(people: set[int]) -> None:
    """Whether each has a leg on any call. They are locked before it is read: their legs in another group may move too,
    and whoever comes second must see what the first did."""
    lock_rows(User.objects.filter(pk__in=people).only("pk"))
    on = set(Call.objects.filter(is_on=True, user_id__in=people).values_list("user_id", flat=True))
    User.objects.filter(pk__in=people & on).update(call_status=True)
    User.objects.filter(pk__in=people - on).update(call_status=False)


def heal_presence(*, now: datetime) -> int:
    """Takes back what clients wrote four hours before `now`: rows of call lists, then call statuses; how many."""
    rows = Participant.objects.filter(created_at__lte=now - STAYS)
    groups = rows.order_by("group").values_list("group", flat=True).distinct()[:MOST_AT_ONCE]
    healed = sum(heal_list(group_id, before=now - STAYS) for group_id in groups)
    return healed + sum(heal_status(idle) for idle in idle_rows(before=now - STAYS))


@atomic_and_retried
def heal_list(group_id: int, *, before: datetime) -> int:
    group = Group.objects.select_for_update(no_key=True).filter(pk=group_id).first()
    if group is None:
        return 0
    old = group.participants.filter(created_at__lte=before).values_list("user_id", flat=True)
    ghosts = without_a_leg(group) & set(old)
    take_off_list(group=group, people=ghosts)
    return len(ghosts)


def idle_rows(*, before: datetime) -> Iterator[QuerySet[Group] | QuerySet[User]]:
    """Groups and people whose call status a client wrote before this, and for whom nothing else speaks."""
    for model, key in ((Group, "group"), (User, "user")):
        on = Call.objects.filter(is_on=True, **{f"{key}_id": OuterRef("pk")})
        listed = Participant.objects.filter(**{key: OuterRef("pk")})
        yield model.objects.filter(~Exists(on), ~Exists(listed), call_status=True, call_status_at__lte=before)


def heal_status(idle: QuerySet[Group] | QuerySet[User]) -> int:
    """Each is locked before it is looked at again: an event may just be putting it on a call."""
    return sum(heal_one(idle, pk) for pk in idle.values_list("pk", flat=True)[:MOST_AT_ONCE])


@atomic_and_retried
def heal_one(idle: QuerySet[Group] | QuerySet[User], pk: int) -> int:
    lock_rows(idle.model.objects.filter(pk=pk).only("pk"))
    return idle.filter(pk=pk).update(call_status=False)
