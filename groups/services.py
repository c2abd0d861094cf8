"""Writes to a group's lists.

Each locks the group's row first, and then the people whom it adds, so that neither can be deleted, nor the last owner
be taken off twice, in between. Endings (`groups/receivers.py`) lock in the same order.
"""

from django.db import transaction
from django.shortcuts import get_object_or_404
from rest_framework.exceptions import APIException

from groups.models import Activity, Group, Invitation, Link, Membership, Ownership, Participant
from users.models import User


class LastOwner(APIException):
    status_code = 409
    default_code = "last_owner"
    default_detail = "This is the group's last owner. Make someone else an owner first, or delete the group."


def lock_group(group_id: int) -> Group:
    return get_object_or_404(Group.objects.select_for_update(no_key=True), pk=group_id)


def lock_person(user_id: int) -> User:
    return get_object_or_404(User.objects.select_for_update(no_key=True), pk=user_id)


@transaction.atomic
def add_person(*, group_id: int, user_id: int, people: type[Link]) -> bool:
    """Puts a person on a group's list; whether they were not there yet. Who joins is no longer invited."""
    group, user = lock_group(group_id), lock_person(user_id)
    _, is_new = people.objects.get_or_create(group=group, user=user)
    if people is Membership:
        Invitation.objects.filter(group=group, user=user).delete()
    return is_new


@transaction.atomic
def remove_person(*, group_id: int, user_id: int, people: type[Link]) -> None:
    """Takes a person off a group's list. Someone who is not on it changes nothing."""
    group = lock_group(group_id)
    found = people.objects.filter(group=group, user_id=user_id)
    if people is Ownership and found.exists() and not group.ownerships.exclude(user_id=user_id).exists():
        raise LastOwner
    found.delete()


@transaction.atomic
def remove_everybody(*, group_id: int, people: type[Link]) -> int:
    """Empties a group's list; how many were on it."""
    removed, _ = people.objects.filter(group=lock_group(group_id)).delete()
    return removed


@transaction.atomic
def add_activity(*, group_id: int, user_id: int, activity: str) -> Activity:
    group, user = lock_group(group_id), lock_person(user_id)
    return Activity.objects.create(group=group, user=user, activity=activity)


def set_on_call(*, group: Group, people: set[int], on: set[int], anyone: bool) -> None:
    """Brings these people's rows on the call list, and the group's call status, to what is so.

    `on` are those of these people who are on the call, `anyone` is whether anybody is, known or not.

    Rows of other people stay: a client put them there. The caller holds the group's lock.
    """
    listed = set(Participant.objects.filter(group=group, user_id__in=people).values_list("user_id", flat=True))
    if gone := listed - on:
        Participant.objects.filter(group=group, user_id__in=gone).delete()
    if new := on - listed:
        known = User.objects.select_for_update(no_key=True).filter(pk__in=new).order_by("pk")
        Participant.objects.bulk_create(Participant(group=group, user=user) for user in known)
    if group.call_status != anyone:
        group.call_status = anyone
        group.save(update_fields=["call_status"])
