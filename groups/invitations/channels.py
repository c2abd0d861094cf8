"""By what an invitation reaches somebody who is not here yet."""

from collections.abc import Callable
from dataclasses import dataclass

from core.email_addresses import email_key
from groups.notifications.mail.interface import mailer
from groups.notifications.mail.letters import Letter, email_of
from groups.notifications.sms.interface import texter
from users.models import NotificationChoices, User
from users.unsubscribing import unsubscribe_address

SMS = "{}. To join, open this link by {}: {}"
NOTE = "The button works until {}. If you do not know who this is from, do nothing: then you have joined nothing."


@dataclass(frozen=True, slots=True)
class Message:
    to: str
    says: str
    """Who invites, and where to."""
    address: str
    until: str
    key: str
    """Names it: the same message, sent once more, is known as the same."""


def is_email(sent_to: str) -> bool:
    return "@" in sent_to


def key_of(sent_to: str) -> str:
    """What addresses have in common that are one."""
    return email_key(sent_to) if is_email(sent_to) else sent_to


def channel_to(sent_to: str) -> Callable[[Message], None]:
    """Raises NotConfigured."""
    if is_email(sent_to):
        mailer()
        return send_email
    texter()
    return send_text


def wants_none(sent_to: str) -> bool:
    """Whether who has this address here has switched e-mail off."""
    people = User.objects.with_email(sent_to)
    return NotificationChoices.objects.filter(user__in=people, email=False).exists()


def send_email(message: Message) -> None:
    """Raises MailUnavailable, MailRefused."""
    known = User.objects.with_email(message.to).only("pk").first()
    letter = Letter(
        subject=message.says,
        sentence=f"{message.says}.",
        button="See the invitation",
        button_url=message.address,
        note=NOTE.format(message.until),
        unsubscribe=unsubscribe_address(known.pk) if known else "",
    )
    mailer().send(email_of(letter, to=message.to, key=message.key))


def send_text(message: Message) -> None:
    """Raises TextUnavailable, TextRefused."""
    texter().send(to=message.to, text=SMS.format(message.says, message.until, message.address))
