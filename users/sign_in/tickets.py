"""Tickets: a sign-in for one request, in its address. A browser's EventSource sends no header of one's own.

https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface
"""

import hashlib
import math
import secrets
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from users.callers import Everybody, Identity, Newcomer
from users.client_identity import AccountDisabled
from users.models import StreamTicket, User
from users.sign_in.authentication import BearerAuthentication
from users.sign_in.remembered import remembered

GOOD_FOR = timedelta(seconds=30)
UNTIL = "voicechat.signed_in_until"
"""Where in a request's environ it stands, of a ticket."""


class TicketInvalid(AuthenticationFailed):
    default_code = "ticket_invalid"
    default_detail = (
        f"This ticket was used, or is older than {GOOD_FOR.seconds} seconds, or none of ours. "
        "Ask for a new one, by POST /api/live/tickets, each time that you connect."
    )


class TicketAuthentication(BearerAuthentication):
    """The person whose ticket stands in the address; nobody, where there is none."""

    def authenticate(self, request: Request) -> tuple[User | Newcomer | Everybody, Identity | None] | None:
        ticket = request.query_params.get("ticket")
        if ticket is None:
            return None
        used = use(ticket)
        request.META[UNTIL] = used.signed_in_until.timestamp() if used.signed_in_until else math.inf
        if settings.OPEN_MODE:
            return Everybody(), None
        user = used.user
        if user is None or not (user.oidc_issuer and user.oidc_subject):
            raise TicketInvalid
        if not user.is_active:
            raise AccountDisabled
        return user, Identity(user.oidc_issuer, user.oidc_subject, user.email, email_verified=True)


def signed_in_until(request: Request) -> float:
    """Seconds since 1970: when what the caller signed in by ends. Never in open mode."""
    if UNTIL in request.META:
        until: float = request.META[UNTIL]
        return until
    if settings.OPEN_MODE:
        return math.inf
    token = request.headers.get("Authorization", "").partition(" ")[2].strip(" ")
    return remembered.ends(token.encode())


def issue(user: User | None, *, signed_in_until: float) -> tuple[str, datetime]:
    """A ticket, and until when it is good."""
    ticket, until = secrets.token_urlsafe(24), timezone.now() + GOOD_FOR
    ends = None if math.isinf(signed_in_until) else datetime.fromtimestamp(signed_in_until, UTC)
    StreamTicket.objects.create(digest=digest(ticket), user=user, until=until, signed_in_until=ends)
    return ticket, until


def use(ticket: str) -> StreamTicket:
    """Once: of two at the same moment one is refused. Raises TicketInvalid."""
    found = StreamTicket.objects.select_related("user").filter(pk=digest(ticket), until__gt=timezone.now()).first()
    if found is None or not StreamTicket.objects.filter(pk=found.pk).delete()[0]:
        raise TicketInvalid
    return found


def digest(ticket: str) -> str:
    """Enough for what is drawn by chance, and long. Whoever reads the table is let in nowhere."""
    return hashlib.sha256(ticket.encode(errors="replace")).hexdigest()


def old_tickets(now: datetime) -> QuerySet[StreamTicket]:
    return StreamTicket.objects.filter(until__lte=now)
