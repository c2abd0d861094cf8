"""Writes to a group's links. Each locks the group first, as those to its lists do: so what lets somebody in is counted
by one at a time, and neither ends meanwhile nor loses whoever made it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework.exceptions import APIException

from core.throttle import TooManyRequests
from core.transactions import atomic_and_retried
from groups.invitations.channels import channel_to, key_of
from groups.invitations.sending import send_invitation
from groups.invitations.tokens import digest, fresh_nonce, made_from
from groups.models import Group, InvitationLink, Membership
from groups.services import add_person, lock_group, lock_person, nothing_to_check
from users.limits import Full, keyed, take_place
from users.models import User

MOST_LINKS = 100
"""Of one group, that somebody may still join by."""

Rate = tuple[int, int]


class TooManyLinks(APIException):
    status_code = 409
    default_code = "too_many_links"
    default_detail = f"{MOST_LINKS} links lead into this group, which is the most. Delete some of them first."


def make_link(
    *,
    group_id: int,
    maker: User | None,
    who: str,
    now: datetime,
    max_uses: int,
    days: int,
    sent_to: str | None = None,
    check: Callable[[], None] = nothing_to_check,
) -> tuple[InvitationLink, str]:
    """A new link and its token, which is sent to an address or a number, if there is one: by a job.

    It counts for `who` makes it (`users/limits.py`). Raises NotConfigured where nothing can be sent, TooManyLinks,
    TooManyRequests.
    """
    if sent_to:
        channel_to(sent_to)
    return store_link(
        group_id=group_id,
        maker=maker,
        limits=limits(who, sent_to),
        check=check,
        now=now,
        max_uses=max_uses,
        expires_at=now + timedelta(days=days),
        sent_to=sent_to,
    )


@atomic_and_retried
def store_link(
    *,
    group_id: int,
    maker: User | None,
    limits: list[tuple[str, str, Rate | None]],
    check: Callable[[], None],
    now: datetime,
    max_uses: int,
    expires_at: datetime,
    sent_to: str | None,
) -> tuple[InvitationLink, str]:
    group = lock_group(group_id)
    made_by = lock_person(maker.pk) if maker else None
    check()
    if group.invitation_links.open(now=now).count() >= MOST_LINKS:
        raise TooManyLinks
    for limit, who, rate in limits:
        if rate and isinstance(answer := take_place(limit, who, *rate), Full):
            raise TooManyRequests(answer.wait)
    if made_by and not Group.objects.of_person(made_by).contains(group):
        made_by = None
    nonce = fresh_nonce()
    token = made_from(nonce)
    link = InvitationLink.objects.create(
        group=group,
        made_by=made_by,
        digest=digest(token),
        nonce=nonce,
        max_uses=max_uses,
        expires_at=expires_at,
        sent_to=sent_to,
    )
    if sent_to:
        send_invitation.enqueue(link.pk)
    return link, token


def limits(who: str, sent_to: str | None) -> list[tuple[str, str, Rate | None]]:
    """What a link counts for, in the order in which the rows are locked. None of it is given back for one that is
    deleted: what was sent has reached somebody."""
    own = [("invitations", who, settings.THROTTLE_INVITATIONS)]
    if not sent_to:
        return own
    messages = ("invitation_messages", who, settings.THROTTLE_INVITATION_MESSAGES)
    return [*own, messages, ("invited", keyed("invited", key_of(sent_to)), settings.THROTTLE_INVITED)]


@atomic_and_retried
def accept(*, token: str, user_id: int, now: datetime, check: Callable[[], None] = nothing_to_check) -> Group:
    """Makes somebody a member of the group to which the token leads; who is in it already uses nothing up.

    Raises Http404 for a token that lets nobody in, or not this person once more.
    """
    ours = InvitationLink.objects.lasting(now=now).filter(digest=digest(token))
    group = lock_group(get_object_or_404(ours.only("group_id")).group_id)
    user = lock_person(user_id)
    check()
    link = get_object_or_404(ours)  # as it is under the lock
    if not Group.objects.of_person(user).contains(group):
        use_up(link, user, now=now)
        add_person(group_id=group.pk, user_id=user.pk, people=Membership)
    return group


def use_up(link: InvitationLink, user: User, *, now: datetime) -> None:
    if not InvitationLink.objects.open(now=now).exclude(accepted_by=user).contains(link):
        raise Http404
    link.uses += 1
    link.save(update_fields=["uses"])
    link.accepted_by.add(user)


@atomic_and_retried
def delete_link(*, group_id: int, link_id: int, check: Callable[[], None] = nothing_to_check) -> None:
    """Nobody joins by it from this moment on."""
    group = lock_group(group_id)
    check()
    get_object_or_404(group.invitation_links.all(), pk=link_id).delete()


def expired_links(now: datetime) -> QuerySet[InvitationLink]:
    return InvitationLink.objects.filter(expires_at__lte=now)
