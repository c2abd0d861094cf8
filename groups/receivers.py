"""What must follow the end of a person or a group, whoever deletes them: the API, the admin, a command."""

from typing import Any

from django.db.models import QuerySet
from django.db.models.signals import pre_delete

from groups.models import Group, Membership, Ownership
from groups.services import take_off_list
from users.models import User


def hand_groups_on(sender: type[User], instance: User, origin: User | QuerySet[User], **kwargs: Any) -> None:
    """Passes a leaver's groups to the longest-standing member; a group left with nobody goes.

    In a bulk deletion (`origin` is its queryset) nobody who goes too can be an heir.
    """
    goers = origin.order_by() if isinstance(origin, QuerySet) else User.objects.filter(pk=instance.pk)
    goer_ids = set(goers.values_list("pk", flat=True)) | {instance.pk}
    owned = set(Ownership.objects.filter(user=instance).values_list("group_id", flat=True))
    joined = set(Membership.objects.filter(user=instance).values_list("group_id", flat=True))
    for group in Group.objects.select_for_update(no_key=True).filter(pk__in=owned | joined).order_by("pk"):
        hand_on(group, goer_ids, was_owned=group.pk in owned)


def hand_on(group: Group, goer_ids: set[int], *, was_owned: bool) -> None:
    if group.ownerships.exclude(user_id__in=goer_ids).exists():
        return
    heir = group.memberships.exclude(user_id__in=goer_ids).longest_standing().first()
    if heir is None:
        group.delete()
    elif was_owned:
        Ownership.objects.create(group=group, user_id=heir.user_id)


def clear_call_list(sender: type[Group], instance: Group, **kwargs: Any) -> None:
    """The people on a group's call are no longer on a call, unless they are on another's.

    Locks the group first, then its participants, then people in order, as everything does that touches them.
    """
    Group.objects.select_for_update(no_key=True).filter(pk=instance.pk).first()
    on = set(instance.participants.values_list("user_id", flat=True))
    take_off_list(group=instance, people=on)
    idle = User.objects.filter(pk__in=on, participants=None)
    locked = [user.pk for user in User.objects.select_for_update(no_key=True).filter(pk__in=on).order_by("pk")]
    idle.filter(pk__in=locked).update(call_status=False)


def connect() -> None:
    pre_delete.connect(hand_groups_on, sender=User, dispatch_uid="groups.hand_groups_on")
    pre_delete.connect(clear_call_list, sender=Group, dispatch_uid="groups.clear_call_list")
