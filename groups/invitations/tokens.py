"""What stands in the address of an invitation: drawn by chance, shown once, and kept as a digest alone.

Who is to send it later, or to answer a repeated request, makes it again from the link's nonce and SECRET_KEY: so
neither the database nor a job's arguments hold it (docs/decisions/invitation-tokens.md).
"""

import secrets

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from core.base64url import encoded
from groups.models import InvitationLink
from users.sign_in.tickets import digest

__all__ = ["LENGTH", "address", "digest", "fresh_nonce", "made_from", "token_of"]

SALT = "groups.invitations"
OCTETS = 24
LENGTH = OCTETS * 4 // 3
"""In letters, which are those of base64url."""


def fresh_nonce() -> str:
    return secrets.token_hex(16)


def made_from(nonce: str, secret_key: str | None = None) -> str:
    return encoded(salted_hmac(SALT, nonce, secret=secret_key, algorithm="sha256").digest()[:OCTETS])


def token_of(link: InvitationLink) -> str | None:
    """The token again; None where SECRET_KEY has changed since, and is none of SECRET_KEY_FALLBACKS."""
    tokens = (made_from(link.nonce, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))
    return next((token for token in tokens if constant_time_compare(digest(token), link.digest)), None)


def address(token: str) -> str:
    """The client's own page."""
    return f"{settings.INVITATION_URL}{token}"
