"""What let a caller in, asked once more where a write has its lock.

While a write waits for a lock its caller may have been demoted, removed or disabled. So every write asks `ask_again`
when nothing can come in between any more, and before it has changed anything; what it asks is what the door asked.
"""

from functools import partial
from typing import Any

from rest_framework.request import Request

from core.preconditions import as_they_are_now
from users.api.permissions import NotSignedUp
from users.callers import Identity, caller_of, token_identity
from users.client_identity import AccountDisabled
from users.models import User

CALLER_COLUMNS = ("id", "email", "stripe_id", "is_staff", "is_active", "oidc_issuer", "oidc_subject")


def ask_again(view: Any, request: Request) -> None:
    """Whether this caller still may do this. Raises what the door raises: 403, 404.

    Only inside a transaction that holds what the write changes. The request's caller is then as they are now.
    """
    caller = caller_of(request)
    if isinstance(caller, User):
        request.user = as_of_now(caller, token_identity(request))
    view.check_permissions(request)


def asking_again(view: Any, request: Request) -> "partial[None]":
    """For a service to call under its lock."""
    return partial(ask_again, view, request)


def as_of_now(caller: User, identity: Identity | None) -> User:
    """Raises AccountDisabled, and NotSignedUp for who is deleted or whose sign-in was unbound meanwhile."""
    rows = User.objects.filter(pk=caller.pk)
    if isinstance(identity, Identity):
        rows = rows.filter(oidc_issuer=identity.issuer, oidc_subject=identity.subject)
    now: User | None = as_they_are_now(rows.only(*CALLER_COLUMNS)).first()
    if now is None:
        raise NotSignedUp
    if not now.is_active:
        raise AccountDisabled
    return now
