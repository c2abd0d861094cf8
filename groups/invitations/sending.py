"""The message that takes an invitation to an address or a number: a job, once the link is stored."""

from datetime import datetime

from django.utils import timezone
from django_tasks import task
from rest_framework.exceptions import APIException

from groups.invitations.channels import Message, channel_to, wants_none
from groups.invitations.tokens import address, token_of
from groups.models import InvitationLink
from groups.notifications.mail.interface import MailRefused
from groups.notifications.names import safe_name
from groups.notifications.sms.interface import TextRefused
from users.erasing import DELETED

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
    group = safe_name(link.group.name, "")
    place = f"the group {group}" if group else "a group"
    by = safe_name(link.made_by.display_name, "") if link.made_by else ""
    return f"{by} invites you to {place}" if by else f"You are invited to {place}"


def day(time: datetime) -> str:
    return f"{time.day} {time:%B %Y}"
