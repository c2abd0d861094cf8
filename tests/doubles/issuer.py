"""An OpenID Connect issuer on the loopback: its discovery document, its keys, and tokens that it truly signs.

https://openid.net/specs/openid-connect-discovery-1_0.html https://www.rfc-editor.org/rfc/rfc7515
"""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.doubles.server import Answer, Double, Request

AUDIENCE = "voicechat"
DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/.well-known/jwks.json"
HOUR = 3600


@dataclass(frozen=True)
class RsaKey:
    kid: str
    private: rsa.RSAPrivateKey
    algorithm = "RS256"

    def sign(self, text: bytes, digest: HashAlgorithm | None = None) -> bytes:
        return self.private.sign(text, padding.PKCS1v15(), digest or SHA256())

    def jwk(self, **changes: Any) -> dict[str, Any]:
        numbers = self.private.public_key().public_numbers()
        public = {"kty": "RSA", "n": number(numbers.n, 256), "e": number(numbers.e, 3)}
        return {"kid": self.kid, "use": "sig", "alg": "RS256", **public, **changes}

    def pem(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True)
class EcKey:
    kid: str
    private: ec.EllipticCurvePrivateKey
    algorithm = "ES256"

    def sign(self, text: bytes) -> bytes:
        pair = decode_dss_signature(self.private.sign(text, ec.ECDSA(SHA256())))
        return b"".join(each.to_bytes(32, "big") for each in pair)

    def jwk(self, **changes: Any) -> dict[str, Any]:
        point = self.private.public_key().public_numbers()
        public = {"kty": "EC", "crv": "P-256", "x": number(point.x, 32), "y": number(point.y, 32)}
        return {"kid": self.kid, "use": "sig", "alg": "ES256", **public, **changes}


@dataclass(frozen=True)
class Secret:
    """What a forger signs with who holds no private key: any bytes, and HMAC."""

    kid: str
    secret: bytes
    algorithm = "HS256"

    def sign(self, text: bytes) -> bytes:
        return hmac.digest(self.secret, text, "sha256")


Key = RsaKey | EcKey | Secret


@cache
def rsa_key(kid: str) -> RsaKey:
    """Made once for all tests: it is slow."""
    return RsaKey(kid, rsa.generate_private_key(public_exponent=65537, key_size=2048))


@cache
def ec_key(kid: str) -> EcKey:
    return EcKey(kid, ec.generate_private_key(ec.SECP256R1()))


class IssuerDouble(Double):
    """Names itself with a final slash, as Auth0 does."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[RsaKey | EcKey] = [rsa_key("rs-1"), ec_key("es-1")]
        self.published: list[Any] | None = None
        """What it shows instead of its keys."""

    # What tests do at the issuer's side

    @property
    def name(self) -> str:
        return f"{self.url}/"

    def rotate(self) -> None:
        """New keys in place of the old."""
        number = int(self.keys[0].kid.partition("-")[2]) + 1
        self.keys = [rsa_key(f"rs-{number}"), ec_key(f"es-{number}")]

    def claims(self, email: str | None = "alice@example.com", **claims: Any) -> dict[str, Any]:
        """A sign-in's claims. None leaves one out; one may be a function of the time."""
        now = int(time.time())
        named = {"iss": self.name, "aud": AUDIENCE, "sub": f"auth0|{email}", "iat": now, "exp": now + HOUR}
        every = {**named, "email": email, "email_verified": True, **claims}
        settled = {name: value(now) if callable(value) else value for name, value in every.items()}
        return {name: value for name, value in settled.items() if value is not None}

    def token(self, email: str | None = "alice@example.com", *, key: Key | None = None, header=None, **claims) -> str:
        """Signed by its first key, unless by another; `header` changes the header's fields, None leaves one out."""
        key = key or self.keys[0]
        fields = {"alg": key.algorithm, "typ": "JWT", "kid": key.kid, **(header or {})}
        present = {name: value for name, value in fields.items() if value is not None}
        return write(present, self.claims(email, **claims), key)

    # What it serves

    def discover(self, request: Request) -> dict[str, Any]:
        return {"issuer": self.name, "jwks_uri": f"{self.url}{KEYS}"}

    def show_keys(self, request: Request) -> dict[str, Any]:
        return {"keys": [key.jwk() for key in self.keys] if self.published is None else self.published}

    def not_found(self, request: Request) -> Answer:
        return Answer(404, "Not found.")

    def server_error(self, request: Request) -> Answer:
        return Answer(500, "Oops!")

    routes = (("GET", DISCOVERY, discover), ("GET", KEYS, show_keys))


def write(header: Any, claims: Any, key: Key | None) -> str:
    """A token of any header and claims, sensible or not; without a key, the signature is empty."""
    text = f"{base64url(as_json(header))}.{base64url(as_json(claims))}"
    return f"{text}.{base64url(key.sign(text.encode()) if key else b'')}"


def as_json(value: Any) -> bytes:
    """Bytes stand as they are, as a whole and as a field of an object: JSON that no library would write."""
    if isinstance(value, dict):
        fields = (json.dumps(name).encode() + b":" + as_json(inner) for name, inner in value.items())
        return b"{" + b",".join(fields) + b"}"
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def number(value: int, length: int) -> str:
    return base64url(value.to_bytes(length, "big"))
