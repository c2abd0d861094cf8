"""Who a verified token's holder is here.

A person is bound to one sign-in, an issuer's `sub`, the first time that it comes with their verified email. From then
on the sign-in alone counts: emails change, and change hands.
"""

from collections.abc import Sequence

from django.db import DEFAULT_DB_ALIAS, IntegrityError
from django.db.models import QuerySet
from rest_framework.exceptions import PermissionDenied

from core.email_addresses import email_key
from core.prepared import prepared
from users.callers import Identity, Newcomer
from users.client_identity import AccountDisabled
from users.models import User
from users.services import sign_up

CALLER_COLUMNS = ("id", "email", "stripe_id", "is_staff", "is_active")


class EmailNotVerified(PermissionDenied):
    default_code = "email_not_verified"
    default_detail = "Your email is not verified yet. Open the link in the mail that you were sent, and sign in again."


class OtherSignInBound(PermissionDenied):
    default_code = "other_sign_in_bound"
    default_detail = "The person with this email signs in another way. Sign in as you did before, or ask the operator."


class EmailMismatch(PermissionDenied):
    default_code = "email_mismatch"
    default_detail = "Sign up with the email that you signed in with."


def person_signed_in_as(identity: Identity) -> User | Newcomer:
    """The person whose sign-in this is. Binds it first where its email is that of somebody without one."""
    user = bound(identity) or bind(identity)
    if user is None:
        return Newcomer(identity)
    if not user.is_active:
        raise AccountDisabled
    return user


def _with_sign_in(keys: Sequence[str]) -> QuerySet[User]:
    issuer, subject = keys
    return User.objects.filter(oidc_issuer=issuer, oidc_subject=subject)


with_sign_in = prepared(_with_sign_in, CALLER_COLUMNS)


def bound(identity: Identity) -> User | None:
    """The person with this sign-in. Asked with every request: other columns are read when somebody needs them."""
    for row in with_sign_in((identity.issuer, identity.subject)):
        return User.from_db(DEFAULT_DB_ALIAS, tuple(row), tuple(row.values()))
    return None


def bind(identity: Identity) -> User | None:
    """Binds the sign-in to the person with its email; None where there is nobody. One of two at once succeeds."""
    if identity.email is None:
        return None
    if not identity.email_verified:
        raise EmailNotVerified
    user = User.objects.with_email(identity.email).first()
    if user is None or not is_same_email(user.email, identity.email):
        return None
    if not user.is_active:
        raise AccountDisabled
    unbound = User.objects.filter(pk=user.pk, oidc_subject=None)
    try:
        unbound.update(oidc_issuer=identity.issuer, oidc_subject=identity.subject)
    except IntegrityError:
        raise OtherSignInBound from None  # this sign-in became another person's at the same moment
    user = bound(identity)
    if user is None:
        raise OtherSignInBound
    return user


def sign_up_as(identity: Identity, *, email: str, display_name: str, avatar: str | None) -> tuple[User, bool]:
    """The person whose sign-in this is, and whether they are new. Raises EmailMismatch for anybody else's email."""
    known = bound(identity)
    own = [each for each in (identity.email, known and known.email) if each]
    if not known and not (own and identity.email_verified):
        raise EmailNotVerified
    if not any(is_same_email(email, each) for each in own):
        raise EmailMismatch
    if known:
        return known, False
    user, is_new = sign_up(
        email=email,
        display_name=display_name,
        avatar=avatar,
        oidc_issuer=identity.issuer,
        oidc_subject=identity.subject,
    )
    if person_signed_in_as(identity) != user:  # the database took a look-alike's email for the same
        raise EmailMismatch
    return user, is_new


def is_same_email(one: str, other: str) -> bool:
    """Not by the database's folding, which makes a k of the Kelvin sign."""
    return email_key(one) == email_key(other)
