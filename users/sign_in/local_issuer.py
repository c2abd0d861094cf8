"""An issuer without a server, for trying sign-in on one's own machine. In production nobody believes its tokens."""

from functools import cache
from hashlib import blake2b
from time import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

ALGORITHM = "ES256"
AUDIENCE = "voicechat"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class LocalIssuer:
    """Signs and verifies by a key that follows from SECRET_KEY, so that commands and workers share it."""

    url = "urn:voicechat:local"

    def audience(self) -> list[str]:
        return [AUDIENCE]

    def key(self, kid: str | None) -> jwt.PyJWK:
        return public_key(settings.SECRET_KEY)

    def key_now(self, kid: str | None) -> jwt.PyJWK | None:
        return self.key(kid)

    def sign(self, claims: dict[str, Any]) -> str:
        """A token with these claims, and `iss` and `aud` as they must be."""
        whole = {**claims, "iss": self.url, "aud": AUDIENCE}
        return jwt.encode(whole, private_key(settings.SECRET_KEY), algorithm=ALGORITHM)


def local_token(email: str, *, seconds: int = 3600) -> str:
    """A sign-in as this issuer gives it to whoever has this email."""
    now = int(time())
    subject = blake2b(email.lower().encode(), digest_size=16).hexdigest()
    claims = {"sub": f"local|{subject}", "email": email, "email_verified": True}
    return LocalIssuer().sign({**claims, "iat": now, "exp": now + seconds})


@cache
def private_key(secret: str) -> ec.EllipticCurvePrivateKey:
    derived = HKDF(SHA256(), length=48, salt=None, info=b"voicechat local issuer").derive(secret.encode())
    return ec.derive_private_key(int.from_bytes(derived) % (P256_ORDER - 1) + 1, ec.SECP256R1())


@cache
def public_key(secret: str) -> jwt.PyJWK:
    algorithm = jwt.get_algorithm_by_name(ALGORITHM)
    return jwt.PyJWK(algorithm.to_jwk(private_key(secret).public_key(), as_dict=True), ALGORITHM)
