"""Tokens that have been verified, for as long as they are good.

To check a signature takes 250 µs, and an open page sends the same token ten times a second. What is remembered is
asked each time whether the token has expired, and whether its key is still the one that the issuer signs by.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from time import time

import jwt

from users.callers import Identity

MOST = 10_000
"""Tokens, of about a kilobyte each. Those that came first are forgotten first."""


@dataclass(frozen=True)
class Verified:
    identity: Identity
    expires: float
    """Seconds since the epoch: until then, the leeway included, it is good."""
    key: jwt.PyJWK
    key_now: Callable[[], jwt.PyJWK | None]
    """By which its issuer would have it checked now; None where that must be asked for."""


class Remembered:
    def __init__(self) -> None:
        self.tokens: OrderedDict[bytes, Verified] = OrderedDict()

    def identity(self, token: bytes) -> Identity | None:
        """Who signed in by it. None where that must be verified."""
        known = self.tokens.get(digest(token))
        if known is None or time() >= known.expires or known.key_now() is not known.key:
            return None
        return known.identity

    def ends(self, token: bytes) -> float:
        """Seconds since the epoch: until when it is good. 0 for one that is not remembered."""
        known = self.tokens.get(digest(token))
        return known.expires if known else 0.0

    def add(self, token: bytes, verified: Verified) -> None:
        self.tokens[digest(token)] = verified
        while len(self.tokens) > MOST:
            self.tokens.popitem(last=False)

    def clear(self) -> None:
        self.tokens.clear()


def digest(token: bytes) -> bytes:
    """The tokens themselves are not kept: who reads the memory of a process signs in as nobody."""
    return blake2b(token, digest_size=32).digest()


remembered = Remembered()
