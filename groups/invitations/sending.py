"""The message that takes an invitation to an address or a number: a job, once the link is stored."""

from datetime import datetime

from django.utils import timezone
from django_tasks import task
from rest_framework.exceptions import APIException

from core.legible import legible
from groups.invitations.channels import channel_to
from groups.invitations.tokens import address, token_of
from groups.models import InvitationLink
from users.erasing import DELETED

MOST_OF_A_NAME = 40
"""Letters: a name is anybody's words, and an SMS is short."""
NOT_WANTED = "It was sent before, or lets nobody in any more."


class TokenLost(APIException):
    default_detail = (
        "SECRET_KEY has changed since this invitation was made. Put the one of before into SECRET_KEY_FALLBACKS, and "
        "have the job tried again."
    )


@task(seconds=30)
def send_invitation(link_id: int) -> str | None:
    """One that is used up, revoked or over by now is not sent. A worker that dies in between may have it sent twice."""
    links = InvitationLink.objects.open(now=timezone.now()).filter(pk=link_id, sent_at=None)
    link = links.select_related("group", "made_by").first()
    if link is None or link.sent_to in (None, DELETED):
        return NOT_WANTED
    token = token_of(link)
    if token is None:
        raise TokenLost
    channel_to(link.sent_to).send(to=link.sent_to, subject=subject(link), text=text(link, token))
    InvitationLink.objects.filter(pk=link.pk).update(sent_at=timezone.now())
    return None


def subject(link: InvitationLink) -> str:
    group = short(link.group.name)
    if link.made_by is None:
        return f"You are invited to the group {group}"
    return f"{short(link.made_by.display_name)} invites you to the group {group}"


def text(link: InvitationLink, token: str) -> str:
    return (
        f"{subject(link)}. To join, open {address(token)} by {day(link.expires_at)}. "
        "If you do not know who this is from, do nothing."
    )


def short(name: str) -> str:
    seen = legible(name)
    return seen if len(seen) <= MOST_OF_A_NAME else f"{seen[: MOST_OF_A_NAME - 1]}…"


def day(time: datetime) -> str:
    return f"{time.day} {time:%B %Y}"
