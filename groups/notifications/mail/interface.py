"""What an e-mail is, and who sends it."""

from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from rest_framework.exceptions import APIException

from core.vendors import vendor

ONE_CLICK = "List-Unsubscribe=One-Click"
"""What a mail program posts to the address of `List-Unsubscribe`: https://www.rfc-editor.org/rfc/rfc8058#section-3.1"""
OFF = "E-mail is switched off here: the operator must set EMAIL_HOST and DEFAULT_FROM_EMAIL."


@dataclass(frozen=True, slots=True)
class Email:
    """To one person. `key` names it: the same e-mail, sent once more, has the same Message-ID."""

    to: str
    subject: str
    text: str
    html: str
    key: str
    unsubscribe: str = ""
    """The address at which one click ends such e-mails; none where it was asked for."""

    def headers(self) -> dict[str, str]:
        """Beside the usual ones. Nobody's automatic answer is wanted: https://www.rfc-editor.org/rfc/rfc3834#section-5"""
        automatic = {"Auto-Submitted": "auto-generated"}
        if not self.unsubscribe:
            return automatic
        return {
            **automatic,
            "List-Unsubscribe": f"<{self.unsubscribe}>",
            "List-Unsubscribe-Post": ONE_CLICK,
        }


class Mailer(Protocol):
    name: str

    def send(self, email: Email) -> None:
        """Hands it to the mail server. Raises MailUnavailable, MailRefused."""


class MailUnavailable(APIException):
    """Not now, perhaps later: also what the operator must mend."""

    status_code = 503
    default_code = "mail_unavailable"
    default_detail = "The mail server does not take e-mail now. It is tried again."
    wait = 60


class MailRefused(APIException):
    """This e-mail is never taken: nobody has this address, or can be written to there."""

    status_code = 400
    default_code = "mail_refused"
    default_detail = "The mail server refuses this e-mail, or the address is none."


def mailer() -> Mailer:
    """Raises NotConfigured where e-mail is off."""
    found: Mailer = vendor(settings.MAIL, off=OFF)
    return found


def refuse_unusable(address: str) -> None:
    """Addresses come from the database, where not only the API writes. A name that is not ASCII needs SMTPUTF8, which
    few servers speak. Raises MailRefused."""
    try:
        validate_email(address)
    except ValidationError:
        raise MailRefused from None
    if not address.rpartition("@")[0].isascii():
        raise MailRefused
