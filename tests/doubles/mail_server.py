"""A mail server on the loopback: it speaks SMTP, keeps what it takes, and fails when a test says so."""

import asyncio
from collections import deque
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import Enum, auto
from ssl import SSLContext
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bench.server import free_port

USER, PASSWORD = "postman", "made up password"
SLOW_SECONDS = 0.25


class MailFault(Enum):
    DROP = auto()
    """The connection breaks at this step, before anything is kept."""
    LOSE_ANSWER = auto()
    """It is kept, and then the connection breaks."""
    HANG = auto()
    SLOW = auto()
    """The usual answer comes after a while."""


class MailDouble:
    """`fail_next("RCPT", "550 5.1.1 No such user")` is the answer to the next of this step: MAIL, RCPT or DATA."""

    def __init__(
        self, *, tls: SSLContext | None = None, from_the_first: bool = False, wants_login: bool = False
    ) -> None:
        self.received: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.logins: list[str] = []
        self.conversations = 0
        self.faults: deque[tuple[str, str | MailFault]] = deque()
        options: dict[str, Any] = {}
        if tls and from_the_first:
            options["ssl_context"] = tls
        elif tls:
            options |= {"tls_context": tls, "require_starttls": True}
        if wants_login:
            options |= {"authenticator": self.authenticate, "auth_required": True, "auth_require_tls": bool(tls)}
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port(), ready_timeout=10, **options)

    def __enter__(self) -> Self:
        self.controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self.controller.loop.is_running():
            self.controller.stop(no_assert=True)

    @property
    def port(self) -> int:
        port: int = self.controller.port
        return port

    def fail_next(self, step: str, *faults: str | MailFault) -> None:
        self.faults.extend((step, fault) for fault in faults)

    async def fail(self, step: str, server: SMTP) -> str | None:
        """What is answered in place of the usual; None for the usual."""
        if not self.faults or self.faults[0][0] != step:
            return None
        _, fault = self.faults.popleft()
        if fault is MailFault.HANG:
            await asyncio.sleep(10)
        if fault is MailFault.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
            return None
        if isinstance(fault, MailFault):
            hang_up(server)
            return "421 4.3.0 gone"
        return fault

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's names
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.conversations += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return await self.fail("MAIL", server) or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refused := await self.fail("RCPT", server):
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        is_lost = bool(self.faults) and self.faults[0] == ("DATA", MailFault.LOSE_ANSWER)
        refused = await self.fail("DATA", server)
        if refused is None or is_lost:
            content = envelope.content if isinstance(envelope.content, bytes) else b""
            self.received.append(message_from_bytes(content, policy=policy.default))  # type: ignore[arg-type]
            self.recipients.append(list(envelope.rcpt_tos))
        return refused or "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: LoginPassword
    ) -> AuthResult:
        self.logins.append(mechanism)
        return AuthResult(success=(given.login, given.password) == (USER.encode(), PASSWORD.encode()))


def hang_up(server: SMTP) -> None:
    transport: Any = server.transport
    transport.abort()


def part(message: EmailMessage, kind: str) -> str:
    """The text, or the HTML, of an e-mail."""
    found = message.get_body((kind,))
    assert found is not None
    content: str = found.get_content()
    return content
