"""Writes to a group's lists.

Each locks the group's row first, and then the people whom it adds, so that neither can be deleted, nor the last owner
be taken off twice, in between. Endings (`groups/receivers.py`) lock in the same order.
"""

from collections.abc import Callable, Collection
from typing import Any

from django.conf import settings
from django.db.models import Exists, Model, OuterRef, Q
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework.exceptions import APIException

from core.throttle import TooManyRequests
from core.transactions import atomic_and_retried, lock_rows
from groups.models import (
    PARTS,
    Activity,
    Departure,
    Device,
    Group,
    GroupPerson,
    Invitation,
    InvitationLink,
    Membership,
    Ownership,
    Participant,
    Ring,
)
from groups.signals import invited
from users.client_identity import client_identity
from users.erasing import marks_of, saying
from users.limits import Full, of_person, take_place
from users.models import User

MOST_OWNED = 200
"""Groups that one person owns."""
MOST_INVITATIONS = 500
"""Invitations that one person has sent and nobody has answered yet."""


class TooManyGroups(APIException):
    status_code = 409
    default_code = "too_many_groups"
    default_detail = f"This person owns {MOST_OWNED} groups, which is the most. Delete one that is not needed, first."


class TooManyInvitations(APIException):
    status_code = 409
    default_code = "too_many_invitations"
    default_detail = (
        f"{MOST_INVITATIONS} of your invitations are not answered yet, which is the most. Take some of them back first."
    )


class NotAMember(APIException):
    status_code = 409
    default_code = "not_a_member"
    default_detail = "Only a member of the group can become its owner. Invite this person first."


class LastOwner(APIException):
    status_code = 409
    default_code = "last_owner"
    default_detail = "This is the group's last owner. Make someone else an owner first, or delete the group."


def lock_group(group_id: int) -> Group:
    return get_object_or_404(Group.objects.select_for_update(no_key=True), pk=group_id)


def lock_person(user_id: int) -> User:
    return get_object_or_404(User.objects.select_for_update(no_key=True), pk=user_id)


def lock_people(user_id: int, other: User | None) -> User:
    """Locks a person, and another one where there is one, in their order; the first."""
    for each in sorted({user_id, other.pk if other else user_id}):
        if each != user_id:
            User.objects.select_for_update(no_key=True).filter(pk=each).first()
        else:
            user = lock_person(user_id)
    return user


def refuse_too_many_groups(owner: User) -> None:
    """Under the owner's lock. Raises TooManyGroups."""
    if owner.ownerships.count() >= MOST_OWNED:
        raise TooManyGroups


def count_invitation(inviter: User) -> User:
    """Under the inviter's lock. Raises TooManyInvitations."""
    if inviter.invitations_sent.count() >= MOST_INVITATIONS:
        raise TooManyInvitations
    rate: tuple[int, int] | None = settings.THROTTLE_INVITATIONS
    if rate and isinstance(answer := take_place("invitations", of_person(inviter), *rate), Full):
        raise TooManyRequests(answer.wait)
    return inviter


def nothing_to_check() -> None:
    pass


def heir_of(group: Group, goer_ids: Collection[int]) -> User | None:
    """Who is to own a group whose owners all go: the longest-standing member who stays; nobody where none does."""
    stay = group.memberships.exclude(user_id__in=goer_ids).select_related("user").longest_standing().first()
    return stay.user if stay else None


@atomic_and_retried
def make_group(*, founder: User | None, check: Callable[[], None] = nothing_to_check, **fields: Any) -> Group:
    """A new group. Its founder owns it, and is a member of it. Raises TooManyGroups."""
    if founder:
        founder = lock_person(founder.pk)
        check()
        refuse_too_many_groups(founder)
    group = Group.objects.create(**fields)
    if founder:
        Ownership.objects.create(group=group, user=founder)
        Membership.objects.create(group=group, user=founder)
    return group


@atomic_and_retried
def add_person(
    *,
    group_id: int,
    user_id: int,
    people: type[GroupPerson],
    members_only: bool = False,
    check: Callable[[], None] = nothing_to_check,
    by: User | None = None,
) -> bool:
    """Puts a person on a group's list; whether they were not there yet. Who joins is no longer invited, and who is in
    it already is not invited again.

    With `members_only` nobody becomes an owner who is not a member: NotAMember. `check` asks for permission once more,
    under the lock: a member who is being removed must not be able to slip in again. An invitation counts for who
    sends it (`by`): TooManyInvitations. Raises TooManyGroups, too.
    """
    group = lock_group(group_id)
    user = lock_people(user_id, by if people is Invitation else None)
    check()
    is_there = people.objects.filter(group=group, user=user).exists()
    if not is_there and people is Ownership and members_only and not group.memberships.filter(user=user).exists():
        raise NotAMember
    is_new = not is_there and not (people is Invitation and Group.objects.of_person(user).contains(group))
    if is_new:
        if people is Ownership:
            refuse_too_many_groups(user)
        if people is Invitation and by:
            link: GroupPerson = Invitation.objects.create(group=group, user=user, invited_by=count_invitation(by))
        else:
            link = people.objects.create(group=group, user=user)
        if isinstance(link, Invitation):
            invited.send(sender=Invitation, invitation=link)
        Departure.objects.filter(group=group, user=user).delete()
    if people is Membership:  # only now: whose last part in the group goes is hung up on
        Invitation.objects.filter(group=group, user=user).delete()
    return is_new


@atomic_and_retried
def remove_person(
    *,
    group_id: int,
    user_id: int,
    people: type[GroupPerson],
    by: int | None = None,
    check: Callable[[], None] = nothing_to_check,
) -> None:
    """Takes a person off a group's list. Someone who is not on it changes nothing.

    Who goes by themself (`by`) and has no part left in the group may still say so there, and go again in vain.
    """
    group = lock_group(group_id)
    check()
    found = people.objects.filter(group=group, user_id=user_id)
    if people is Ownership and found.exists() and not group.ownerships.exclude(user_id=user_id).exists():
        raise LastOwner
    removed, _ = found.delete()
    if removed and by == user_id and not any(each.objects.filter(group=group, user=by).exists() for each in PARTS):
        Departure.objects.update_or_create(
            group=group, user_id=user_id, defaults={"left_at": timezone.now(), "is_said": False}
        )


@atomic_and_retried
def remove_everybody(*, group_id: int, people: type[GroupPerson], check: Callable[[], None] = nothing_to_check) -> int:
    """Empties a group's list; how many were on it. No row says that it goes: the caller knows that all do."""
    rows = people.objects.filter(group=lock_group(group_id))
    check()
    return rows._raw_delete(rows.db)


@atomic_and_retried
def add_activity(
    *, group_id: int, user_id: int, activity: str, check: Callable[[], None] = nothing_to_check
) -> Activity:
    """What somebody did. From who has left it is the last: a departure counts once."""
    group, user = lock_group(group_id), lock_person(user_id)
    check()
    Departure.objects.filter(group=group, user=user).update(is_said=True)
    return Activity.objects.create(group=group, user=user, activity=activity)


def lock_around(goers: Collection[User]) -> None:
    """Locks what goes with these people, in the order of docs/design.md: every group that has a row of theirs, or in
    which somebody wrote their email or number, for its own end would delete that row too; then people, also those on
    the call lists of groups that are left with nobody; then devices.
    """
    ids = {each.pk for each in goers}
    models: tuple[type[Model], ...] = (*PARTS, Participant, Ring, Departure, Activity)
    rows = [each._base_manager.filter(user__in=ids) for each in models]
    rows.append(Device.tags.through._base_manager.filter(device__user__in=ids))
    rows.append(InvitationLink.objects.filter(Q(made_by__in=ids) | Q(accepted_by__in=ids)))
    rows.append(Activity.objects.filter(saying("activity", [mark for each in goers for mark in marks_of(each)])))
    around, *others = [each.order_by().values_list("group_id") for each in rows]
    groups = lock_rows(Group.objects.filter(pk__in=[pk for (pk,) in around.union(*others)]).only("pk"))
    left = Group.objects.filter(pk__in=[group.pk for group in groups])
    for part in (Ownership.objects, Membership.objects):
        left = left.exclude(Exists(part.filter(group=OuterRef("pk")).exclude(user__in=ids)))
    listed = Participant.objects.filter(group__in=left).values_list("user_id", flat=True)
    lock_rows(User.objects.filter(pk__in=ids | set(listed)).only("pk"))
    early = Q(user=None, identity__in=[client_identity(pk) for pk in ids])
    lock_rows(Device.objects.filter(Q(user__in=ids) | early).only("pk"))


def take_off_list(*, group: Group, people: set[int]) -> None:
    """Takes people off the call list whom nobody hangs up on for it: no row says that it goes. They are on no call,
    and another phone of theirs may just be calling in; or the group goes. The caller holds the group's lock."""
    rows = Participant.objects.filter(group=group, user_id__in=people)
    rows._raw_delete(rows.db)


def set_on_call(*, group: Group, people: set[int], on: set[int], anyone: bool, moved: set[int]) -> None:
    """Brings these people's rows on the call list, and the group's call status, to what is so.

    `on` are those of these people who are on the call, `anyone` is whether anybody is, known or not.

    Rows of other people stay: a client put them there. The caller holds the group's lock, and locks `moved` after this:
    with the new ones they are locked at once, for people are locked in the order of their ids.
    """
    listed = set(Participant.objects.filter(group=group, user_id__in=people).values_list("user_id", flat=True))
    if gone := listed - on:
        take_off_list(group=group, people=gone)
    if new := on - listed:
        known = lock_rows(User.objects.filter(pk__in=new | moved))
        Participant.objects.bulk_create(Participant(group=group, user=user) for user in known if user.pk in new)
    if group.call_status != anyone:
        group.call_status = anyone
        group.save(update_fields=["call_status"])
