"""The message that takes an invitation to an address or a number: a job, once the link is stored."""

from datetime import datetime

from django.utils import timezone
from django_tasks import task
from rest_framework.exceptions import APIException

from core.legible import legible
from groups.invitations.channels import Message, channel_to, wants_none
from groups.invitations.tokens import address, token_of
from groups.models import InvitationLink
from groups.notifications.mail.interface import MailRefused
from groups.notifications.sms.interface import TextRefused
from users.erasing import DELETED

MOST_OF_A_NAME = 40
"""Letters: a name is anybody's words, and an SMS is short."""
NOT_WANTED = "It was sent before, or lets nobody in any more."
OPTED_OUT = "Whoever has this address wants no e-mail."


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
    if wants_none(link.sent_to):
        return OPTED_OUT
    try:
        channel_to(link.sent_to)(message(link, link.sent_to, token))
    except (MailRefused, TextRefused) as refused:
        return str(refused.detail)
    InvitationLink.objects.filter(pk=link.pk).update(sent_at=timezone.now())
    return None


def message(link: InvitationLink, to: str, token: str) -> Message:
    key = f"invitation-{link.pk}-{link.digest[:16]}"
    return Message(to=to, says=headline(link), address=address(token), until=day(link.expires_at), key=key)


def headline(link: InvitationLink) -> str:
    group = short(link.group.name)
    if link.made_by is None:
        return f"You are invited to the group {group}"
    return f"{short(link.made_by.display_name)} invites you to the group {group}"


def short(name: str) -> str:
    seen = legible(name)
    return seen if len(seen) <= MOST_OF_A_NAME else f"{seen[: MOST_OF_A_NAME - 1]}…"


def day(time: datetime) -> str:
    return f"{time.day} {time:%B %Y}"
