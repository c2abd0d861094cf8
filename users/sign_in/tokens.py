"""Verifying a bearer token. https://www.rfc-editor.org/rfc/rfc8725 says what can go wrong."""

import re
from typing import Any

import jwt
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from rest_framework.exceptions import AuthenticationFailed

from users.callers import Identity
from users.sign_in.issuers import ALGORITHMS, Issuer, UnknownKeyError, issuer_named
from users.sign_in.remembered import Verified, remembered
from users.sign_in.token_kinds import misfit

LEEWAY = 30
"""Seconds by which the issuer's clock may differ from ours."""
REQUIRED = ["exp", "iat", "sub", "iss", "aud"]
TIMES = ("exp", "iat", "nbf")
"""Numbers, says https://www.rfc-editor.org/rfc/rfc7519#section-2; PyJWT takes text for them too."""
SUBJECT = re.compile(r"[\x20-\x7e]{1,255}")
"""https://openid.net/specs/openid-connect-core-1_0.html#IDToken"""
LONGEST_EMAIL = 128
OTHER_ISSUER = "This token is of another issuer than the one whose tokens are taken here."
OTHER_ALGORITHM = f"This token is signed in another way than by {' or '.join(ALGORITHMS)}: set that at the issuer."
OTHER_AUDIENCE = "This token is made for another audience than this server's. Ask the issuer for one that is for it."
ODD = (jwt.PyJWTError, ArithmeticError, LookupError, RecursionError, TypeError, UnknownKeyError, ValueError)
"""What PyJWT raises on hostile input is more than it says."""


class TokenInvalid(AuthenticationFailed):
    default_code = "token_invalid"
    default_detail = "This token is not valid here. Sign in again."


class TokenExpired(AuthenticationFailed):
    default_code = "token_expired"
    default_detail = "The sign-in has expired. Sign in again."


def verify(token: str) -> Identity:
    """What the token says, once its signature, its times and whom it is for are in order.

    Raises TokenInvalid, TokenExpired, and IssuerUnreachable where nobody can tell.
    """
    if known := remembered.identity(token.encode()):
        return known
    if what := misfit(token):
        raise TokenInvalid(what)
    try:
        unverified = jwt.decode_complete(token, options={"verify_signature": False})
        issuer = issuer_named(unverified["payload"].get("iss"))
        if issuer is None:
            raise TokenInvalid(OTHER_ISSUER)
        if unverified["header"].get("alg") not in ALGORITHMS:
            raise TokenInvalid(OTHER_ALGORITHM)
        return checked(token, issuer, unverified["header"].get("kid"))
    except jwt.ExpiredSignatureError:
        raise TokenExpired from None
    except jwt.InvalidAudienceError:
        raise TokenInvalid(OTHER_AUDIENCE) from None
    except ODD:
        raise TokenInvalid from None


def checked(token: str, issuer: Issuer, kid: str | None) -> Identity:
    """Of the header only `kid` is heeded, and `alg` only where it is the key's own."""
    key = issuer.key(kid)
    verified: dict[str, Any] = jwt.decode(
        token,
        key,
        audience=issuer.audience(),
        issuer=[issuer.url, f"{issuer.url}/"],
        leeway=LEEWAY,
        options={"require": REQUIRED, "enforce_minimum_key_length": True},
    )
    who = identity(issuer, verified)
    remembered.add(token.encode(), Verified(who, verified["exp"] + LEEWAY, key, lambda: issuer.key_now(kid)))
    return who


def identity(issuer: Issuer, claims: dict[str, Any]) -> Identity:
    email, times = claims.get("email"), [claims[name] for name in TIMES if name in claims]
    well_typed = isinstance(email, str | None) and all(type(time) in (int, float) for time in times)
    if not well_typed or not SUBJECT.fullmatch(claims["sub"]):
        raise TokenInvalid
    return Identity(
        issuer=issuer.url,
        subject=claims["sub"],
        email=usable_email(email),
        email_verified=is_true(claims.get("email_verified")),
    )


def is_true(claim: Any) -> bool:
    """`true`, or the text "true" that some issuers write in its place; "false" is text too, and nothing else counts.

    https://developer.apple.com/documentation/signinwithapple/authenticating-users-with-sign-in-with-apple
    """
    return claim is True or claim == "true"


def usable_email(claimed: str | None) -> str | None:
    """The address, if it is one that a person's row can hold."""
    if not claimed or len(claimed) > LONGEST_EMAIL:
        return None
    try:
        validate_email(claimed)
    except ValidationError:
        return None
    return claimed
