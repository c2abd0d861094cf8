"""Browsers, by the Web Push protocol: https://www.rfc-editor.org/rfc/rfc8030, encrypted for each
(https://www.rfc-editor.org/rfc/rfc8291), and signed by our own key (VAPID, https://www.rfc-editor.org/rfc/rfc8292).
"""

import json
import os
import socket
import struct
import time
from hashlib import blake2b
from urllib.parse import urlsplit

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.base64url import encoded
from core.p256 import key_of_number, point
from groups.models import Device
from groups.notifications.direct import LIVES, Clients, DirectChannel, Fate, Notification, may_do_later
from groups.notifications.subscriptions import Subscription, is_public, read_subscription

TOKEN_LIVES = 12 * 3600
"""Seconds. At most a day: https://www.rfc-editor.org/rfc/rfc8292#section-2"""
RECORD = 4096


class WebPush(DirectChannel):
    name = "Web Push"
    kinds = (Device.BindingType.WEBPUSH,)

    def __init__(self, *, vapid_private_key: str, vapid_subject: str, api_base: str = "") -> None:
        self.key = key_of_number(vapid_private_key)
        self.public = encoded(point(self.key.public_key()))
        self.subject, self.api_base = vapid_subject, api_base
        self.clients = Clients()

    def post(self, device: Device, notification: Notification, *, timeout: float) -> httpx2.Response:
        subscription = read_subscription(device.address)
        said = json.dumps({"body": notification.body, **notification.data()}).encode()
        headers = {
            "authorization": f"vapid t={self.token(subscription)}, k={self.public}",
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(LIVES),
            "topic": encoded(blake2b(notification.collapses.encode(), digest_size=16).digest()),
            "urgency": "high",
        }
        url, host, extensions = self.target(subscription)
        own, salt = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
        return self.clients.post(
            url,
            content=encrypted(said, subscription, own=own, salt=salt),
            headers={**headers, "host": host},
            timeout=timeout,
            extensions=extensions,
        )

    def target(self, subscription: Subscription) -> tuple[str, str, dict[str, str]]:
        """Where to post, to which host, and whose certificate is wanted: the address is looked up once, and is the one
        that is asked, so that no name can lead inside."""
        parts = urlsplit(subscription.endpoint)
        path = f"{parts.path}{'?' + parts.query if parts.query else ''}"
        if self.api_base:
            return f"{self.api_base}{path}", urlsplit(self.api_base).netloc, {}
        host = str(parts.hostname)
        address = public_address(host)
        literal = f"[{address}]" if ":" in address else address
        return f"https://{literal}{path}", host, {"sni_hostname": host}

    def token(self, subscription: Subscription) -> str:
        parts = urlsplit(subscription.endpoint)
        claims = {
            "aud": f"https://{parts.netloc}",
            "exp": int(time.time()) + TOKEN_LIVES,
            "sub": self.subject,
        }
        return jwt.encode(claims, self.key, algorithm="ES256")

    def fate(self, device: Device, answer: httpx2.Response) -> Fate:
        """https://www.rfc-editor.org/rfc/rfc8030#section-7.3"""
        if answer.status_code in (404, 410):
            return Fate.GONE
        return Fate.MISSED if may_do_later(answer.status_code) else Fate.REFUSED


def public_address(host: str) -> str:
    """The first of the host's addresses. Raises httpx2.ConnectError where it has none, or any that is not public."""
    try:
        found = [str(each[4][0]) for each in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)]
    except OSError as error:
        raise httpx2.ConnectError("The push service's host has no address.") from error
    if not all(map(is_public, found)):
        raise httpx2.ConnectError("The push service's host is none of the Internet's.")
    return found[0]


def encrypted(said: bytes, to: Subscription, *, own: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """aes128gcm, one record: only the browser can read it. `own` and `salt` (16 bytes) are fresh for each.

    https://www.rfc-editor.org/rfc/rfc8291#section-3.4 https://www.rfc-editor.org/rfc/rfc8188#section-2
    """
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), to.p256dh)
    ours = point(own.public_key())
    shared = own.exchange(ec.ECDH(), theirs)
    secret = derived(shared, to.auth, b"WebPush: info\0" + to.p256dh + ours, 32)
    key = derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    head = salt + struct.pack("!IB", RECORD, len(ours)) + ours
    return head + AESGCM(key).encrypt(nonce, said + b"\2", None)


def derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)
