"""Issuers of sign-in tokens, and the public keys with which they sign.

https://openid.net/specs/openid-connect-discovery-1_0.html
https://www.rfc-editor.org/rfc/rfc7517
"""

import logging
from functools import cache
from threading import Lock
from time import monotonic
from typing import Any, Protocol

import jwt
import requests
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from rest_framework.exceptions import APIException

from users.models import IssuerKeys
from users.sign_in.local_issuer import LocalIssuer
from users.sign_in.remembered import remembered

logger = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "ES256")
FRESH_FOR = 3600.0
"""Seconds for which keys are used without asking again."""
ASK_AGAIN_AFTER = 5.0
"""Seconds between two questions to an issuer, whatever tokens come: nobody can make us flood it."""
TIMEOUT = 2.0


UNUSABLE = (requests.RequestException, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What an answer raises that is none, or not of the form that it must have."""


class IssuerUnreachable(APIException):
    status_code = 503
    default_code = "issuer_unreachable"
    default_detail = "Sign-ins cannot be checked, because their issuer does not answer. Try again in a moment."
    wait = ASK_AGAIN_AFTER


class UnknownKeyError(Exception):
    """The issuer has no such key."""


class Issuer(Protocol):
    url: str
    """As in the token's `iss`, without a final slash."""

    def audience(self) -> list[str]:
        """A token is for us when it is for one of these."""

    def key(self, kid: str | None) -> jwt.PyJWK:
        """The public key of that name. Raises UnknownKeyError, and IssuerUnreachable where nobody can tell."""

    def key_now(self, kid: str | None) -> jwt.PyJWK | None:
        """The same where it is known and fresh, without asking anybody; else None."""


class OpenIdIssuer:
    """An OpenID Connect provider such as Auth0. Its keys are fetched when a token needs them, and kept for an hour.

    While it is down its known keys go on serving: this process's, and the last that any other has fetched, also before
    a restart. A key that is not among the known ones makes us ask again, at most once in 5 seconds: that is how soon a
    rotation is noticed.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.keys: dict[str | None, jwt.PyJWK] = {}
        self.fetched_at = self.asked_at = float("-inf")
        self.is_down = False
        self.asking = Lock()

    def audience(self) -> list[str]:
        return list(settings.OIDC_AUDIENCE)

    def key(self, kid: str | None) -> jwt.PyJWK:
        known = self.known(kid)
        if known is None or not self.is_fresh():
            # Without the key there is nothing to do but wait for whoever asks already. Never while the issuer is down:
            # made-up tokens would tie up every thread.
            self.ask(wait=known is None and not self.is_down)
            known = self.known(kid)
        if known is not None:
            return known
        if self.is_down:
            raise IssuerUnreachable
        raise UnknownKeyError

    def key_now(self, kid: str | None) -> jwt.PyJWK | None:
        return self.known(kid) if self.is_fresh() else None

    def is_fresh(self) -> bool:
        return monotonic() - self.fetched_at <= FRESH_FOR

    def known(self, kid: str | None) -> jwt.PyJWK | None:
        """A token may leave its key unnamed where there is but one."""
        if kid is None and len(self.keys) == 1:
            return next(iter(self.keys.values()))
        return self.keys.get(kid)

    def ask(self, *, wait: bool) -> None:
        if not self.asking.acquire(blocking=wait):
            return
        try:
            if monotonic() - self.asked_at >= ASK_AGAIN_AFTER:
                self.asked_at = monotonic()
                self.fetch()
        finally:
            self.asking.release()

    def fetch(self) -> None:
        try:
            configuration = get_json(f"{self.url}/.well-known/openid-configuration")
            if configuration["issuer"].removesuffix("/") != self.url:
                raise ValueError("another issuer's configuration")
            published = get_json(configuration["jwks_uri"])["keys"]
            self.keys = usable_keys(published)
        except UNUSABLE as error:
            self.is_down = True
            logger.warning("The keys of the OIDC_ISSUER cannot be fetched: %s", type(error).__name__)
            self.keys = {**self.keys, **shared_keys(self.url)}
        else:
            self.is_down, self.fetched_at = False, monotonic()
            share_keys(self.url, published)


def share_keys(issuer: str, published: list[Any]) -> None:
    """Keeps the keys for the other processes, and for after a restart. A sign-in does not wait for it to succeed."""
    try:
        fields = {"keys": published, "fetched_at": timezone.now()}
        IssuerKeys.objects.update_or_create(issuer=issuer, defaults=fields)
    except (DatabaseError, TypeError, ValueError) as error:
        logger.warning("The keys of the OIDC_ISSUER cannot be kept: %s", type(error).__name__)


def shared_keys(issuer: str) -> dict[str | None, jwt.PyJWK]:
    """The last good keys that any process has fetched; none where none has, or nobody can tell."""
    try:
        kept = IssuerKeys.objects.filter(issuer=issuer).first()
        return usable_keys(kept.keys) if kept else {}
    except (DatabaseError, *UNUSABLE) as error:
        logger.warning("The kept keys of the OIDC_ISSUER cannot be read: %s", type(error).__name__)
        return {}


def get_json(url: str) -> Any:
    """What the issuer publishes there. A redirect is not followed: it could lead anywhere."""
    answer = requests.get(url, timeout=TIMEOUT, allow_redirects=False, headers={"Accept": "application/json"})
    if answer.status_code != requests.codes.ok:
        raise requests.HTTPError(response=answer)
    return answer.json()


def usable_keys(published: list[Any]) -> dict[str | None, jwt.PyJWK]:
    """The keys for signing with what we accept, by name. Raises ValueError where there is none: that is no key set."""
    keys = {}
    for each in published:
        try:
            key = jwt.PyJWK(each)
        except (jwt.PyJWTError, AttributeError):
            continue
        if key.algorithm_name in ALGORITHMS and key.public_key_use in ("sig", None):
            keys[key.key_id] = key
    if not keys:
        raise ValueError("no key for signing")
    return keys


@cache
def open_id_issuer(url: str) -> OpenIdIssuer:
    return OpenIdIssuer(url)


def issuer_named(name: Any) -> Issuer | None:
    """The issuer that a token says it is from, if it is one of ours; with or without the final slash, as at Auth0."""
    ours: list[Issuer] = [open_id_issuer(settings.OIDC_ISSUER)] if settings.OIDC_ISSUER else []
    if settings.SIGN_IN and not settings.PRODUCTION:
        ours.append(LocalIssuer())
    return next((each for each in ours if name in (each.url, f"{each.url}/")), None)


def forget_keys() -> None:
    open_id_issuer.cache_clear()
    remembered.clear()
