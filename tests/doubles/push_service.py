"""A browser's push service on the loopback, and the browsers: they alone can read what they are sent.

https://www.rfc-editor.org/rfc/rfc8030 https://www.rfc-editor.org/rfc/rfc8291 https://www.rfc-editor.org/rfc/rfc8292
"""

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.doubles.server import Answer, Double, Refusal, Request

SUBJECT = "mailto:operator@example.com"
VAPID_KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"  # of RFC 8291, section 5
HOST = "push.example.com"
DAY = 24 * 3600
MOST_BYTES = 4096


def text(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def octets(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Browser:
    def __init__(self, path: str = "/send/abc", auth: bytes = b"0123456789abcdef") -> None:
        self.path, self.auth = path, auth
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.public = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscription(self, **changes: Any) -> dict[str, Any]:
        """As `subscription.toJSON()` gives it: https://www.w3.org/TR/push-api/#dom-pushsubscription-tojson"""
        keys = {"p256dh": text(self.public), "auth": text(self.auth)}
        return {"endpoint": f"https://{HOST}{self.path}", "expirationTime": None, "keys": keys, **changes}

    def address(self, **changes: Any) -> str:
        return json.dumps(self.subscription(**changes))

    def read(self, body: bytes) -> dict[str, Any]:
        salt, key_id = body[:16], body[21 : 21 + body[20]]
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key_id)
        shared = self.private.exchange(ec.ECDH(), theirs)
        info = b"WebPush: info\x00" + self.public + key_id
        secret = HKDF(SHA256(), 32, self.auth, info).derive(shared)
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\x00").derive(secret)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\x00").derive(secret)
        said = AESGCM(key).decrypt(nonce, body[21 + body[20] :], None)
        found: dict[str, Any] = json.loads(said.rstrip(b"\x00").removesuffix(b"\x02"))
        return found


class PushServiceDouble(Double):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[Request] = []
        self.gone: set[str] = set()
        self.public_keys: set[str] = set()

    def check(self, request: Request) -> None:
        kind, _, said = request.headers["authorization"].partition(" ")
        parts = dict(part.strip().split("=", 1) for part in said.split(","))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), octets(parts["k"]))
        try:
            claims = jwt.decode(parts["t"], key, algorithms=["ES256"], audience=f"https://{HOST}")
        except jwt.InvalidTokenError:
            raise Refusal(Answer(403, {})) from None
        if kind != "vapid" or claims["sub"] != SUBJECT or claims["exp"] > time.time() + DAY:
            raise Refusal(Answer(403, {}))
        self.public_keys.add(parts["k"])

    def push(self, request: Request) -> Answer:
        if request.path in self.gone:
            return Answer(410, {})
        if request.headers["content-encoding"] != "aes128gcm" or not request.headers["ttl"].isdigit():
            return Answer(400, {})
        if request.headers.get("urgency") != "high":  # https://www.rfc-editor.org/rfc/rfc8030#section-5.3
            return Answer(400, {})
        if len(request.headers["topic"]) > 32:
            return Answer(400, {})
        if len(request.body) > MOST_BYTES:
            return Answer(413, {})
        self.told.append(request)
        return Answer(201, {}, {"location": f"{self.url}/message/1"})

    def not_found(self, request: Request) -> Answer:
        return Answer(404, {})

    def server_error(self, request: Request) -> Answer:
        return Answer(503, {})

    routes = (("POST", "/send/.+", push),)
