"""Who is calling: a person, somebody whom we do not know yet, or in open mode anybody at all."""

from dataclasses import dataclass
from typing import Protocol, cast

from rest_framework.request import Request

from users.models import User


@dataclass(frozen=True)
class Identity:
    """What a verified token says of its holder."""

    issuer: str
    subject: str
    email: str | None
    email_verified: bool


@dataclass(frozen=True)
class Newcomer:
    """Holds a valid token, and is nobody whom we know. May sign up, and nothing else."""

    identity: Identity
    pk: None = None
    is_staff: bool = False


class Everybody:
    """The caller in open mode: nobody is asked who they are, and everybody may do what staff may."""

    pk = None
    is_staff = True


Caller = User | Everybody


class Known(Protocol):
    """Of a caller what decides whom they see whole."""

    @property
    def pk(self) -> int | None: ...
    @property
    def is_staff(self) -> bool: ...


def is_whole_for(caller: Known, user_id: int) -> bool:
    """Whether the caller may see and change all of this person: themself, and staff."""
    return caller.is_staff or caller.pk == user_id


def caller_of(request: Request) -> Caller:
    """Who calls, once a permission has let them in."""
    return cast("Caller", request.user)


def token_identity(request: Request) -> Identity | None:
    """What the caller's token says; None in open mode."""
    return cast("Identity | None", request.auth)
