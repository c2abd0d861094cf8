"""By what an invitation reaches somebody who is not here yet."""

from typing import Any, Protocol

from django.conf import settings

from core.email_addresses import email_key
from core.vendors import vendor

OFF = (
    "Invitations cannot be sent by {way} here. Leave `{field}` out, and pass the link on yourself; or ask the operator."
)
NO_EMAIL = OFF.format(way="e-mail", field="email")
NO_SMS = OFF.format(way="SMS", field="phoneNumber")


class Channel(Protocol):
    def send(self, *, to: str, subject: str, text: str) -> None:
        """Raises what its vendor raises: the job is tried again."""


def is_email(sent_to: str) -> bool:
    return "@" in sent_to


def channel_to(sent_to: str) -> Any:
    """Raises NotConfigured."""
    if is_email(sent_to):
        return vendor(settings.INVITATION_EMAIL, off=NO_EMAIL)
    return vendor(settings.INVITATION_SMS, off=NO_SMS)


def key_of(sent_to: str) -> str:
    """What addresses have in common that are one."""
    return email_key(sent_to) if is_email(sent_to) else sent_to
