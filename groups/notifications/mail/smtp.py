"""E-mail by a mail server of the operator's: Django's own, over https://www.rfc-editor.org/rfc/rfc5321."""

import logging
import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email._policybase import Compat32
from email.utils import parseaddr
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend

from core.deadline import time_left
from groups.notifications.mail.interface import Email, MailRefused, MailUnavailable, refuse_unusable

logger = logging.getLogger(__name__)

TIMEOUT = 10.0  # seconds, for each of the server's answers; together they have the deadline's
TLS_FROM_THE_FIRST = 465
"""The port on which no plain word is said. https://www.rfc-editor.org/rfc/rfc8314#section-3.3"""
OURS = re.compile(rb"5\.7\.")
"""Of refusals that are for good: not let in, or not trusted, which the operator mends.

https://www.rfc-editor.org/rfc/rfc3463#section-3.8
"""


class Timed:
    """Waits for no answer of the server's longer than the deadline leaves."""

    sock: Any

    def getreply(self) -> tuple[int, bytes]:
        if self.sock is not None:
            self.sock.settimeout(time_left(TIMEOUT))
        code, text = super().getreply()  # type: ignore[misc]  # smtplib's
        return code, text


class TimedSMTP(Timed, smtplib.SMTP):
    pass


class TimedSMTPS(Timed, smtplib.SMTP_SSL):
    pass


class Backend(EmailBackend):
    _partial_connection: smtplib.SMTP | None

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return TimedSMTPS if self.use_ssl else TimedSMTP

    def drop(self) -> None:
        """Closes the connection without a word to a server that does not answer."""
        for connection in (self.connection, self._partial_connection):
            if connection is not None:
                connection.close()
        self.connection = self._partial_connection = None


class BegunAtOnce(Compat32):
    """Python breaks a long header's line before its first word, which not every reader bears."""

    def fold_binary(self, name: str, value: str) -> bytes:
        return super().fold_binary(name, value).replace(f": {self.linesep} ".encode(), b": ", 1)


class Message(EmailMultiAlternatives):
    def message(self, **kwargs: Any) -> Any:
        made = super().message(**kwargs)
        made.policy = BegunAtOnce()
        return made


class SMTPMailer:
    name = "e-mail"

    def __init__(
        self,
        *,
        email_host: str,
        default_from_email: str,
        email_port: str,
        email_use_tls: str,
        email_host_user: str = "",
        email_host_password: str = "",
    ) -> None:
        self.sender = default_from_email
        is_tls, port = bool(email_use_tls), int(email_port)
        self.server: dict[str, Any] = {
            "host": email_host,
            "port": port,
            "username": email_host_user,
            "password": email_host_password,
            "use_ssl": is_tls and port == TLS_FROM_THE_FIRST,
            "use_tls": is_tls and port != TLS_FROM_THE_FIRST,
        }

    def send(self, email: Email) -> None:
        """By a connection of its own: there are few, and a kept one would have to be asked whether it still is.

        Once the server has said that it has the e-mail, it is sent: whatever comes after changes nothing.
        """
        refuse_unusable(email.to)
        with our_errors():
            backend = Backend(**self.server, timeout=time_left(TIMEOUT))
            try:
                backend.open()
                backend.send_messages([self.message(email)])
                with suppress(OSError):
                    backend.close()
            finally:
                backend.drop()

    def message(self, email: Email) -> Message:
        domain = parseaddr(self.sender)[1].rpartition("@")[2]
        headers = {**email.headers(), "Message-ID": f"<{email.key}@{domain}>"}
        message = Message(email.subject, email.text, self.sender, [email.to], headers=headers)
        message.attach_alternative(email.html, "text/html")
        return message


@contextmanager
def our_errors() -> Iterator[None]:
    """The server's words may quote an address: of them only the code is kept."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise refusal(code, text) from None
    except smtplib.SMTPDataError as error:
        raise refusal(error.smtp_code, error.smtp_error) from None
    except OSError as error:  # all of smtplib's are
        logger.warning("The mail server failed: %s %s", type(error).__name__, getattr(error, "smtp_code", ""))
        raise MailUnavailable from None


def refusal(code: int, text: bytes | str) -> MailRefused | MailUnavailable:
    said = text.encode() if isinstance(text, str) else text
    logger.warning("The mail server refused an e-mail: %s", code)
    return MailRefused() if code >= 500 and not OURS.match(said) else MailUnavailable()
