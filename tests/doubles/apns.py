"""Apple's push service on the loopback, over HTTP/2: it knows its devices, and whose tokens are signed.

https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
"""

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.doubles.http2 import Http2Double
from tests.doubles.server import Answer, Refusal, Request

PRIVATE = ec.generate_private_key(ec.SECP256R1())
KEY = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
TOPIC = "com.example.family"
CREDENTIALS = {"apns_key": KEY, "apns_key_id": "KEY0000001", "apns_team_id": "TEAM000001", "apns_topic": TOPIC}
HOUR = 3600
MOST_BYTES = 4096


def refusal(status: int, reason: str, **more: Any) -> Answer:
    return Answer(status, {"reason": reason, **more})


class APNsDouble(Http2Double):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, dict[str, Any]]] = []
        """Of each notification the device's token and what is shown."""
        self.gone: dict[str, float] = {}
        """Since when a device is no more, in milliseconds, by its token."""
        self.provider_tokens: set[str] = set()

    def check(self, request: Request) -> None:
        kind, _, token = request.headers["authorization"].partition(" ")
        try:
            claims = jwt.decode(token, PRIVATE.public_key(), algorithms=["ES256"])
        except jwt.InvalidTokenError:
            raise Refusal(refusal(403, "InvalidProviderToken")) from None
        if kind != "bearer" or jwt.get_unverified_header(token)["kid"] != "KEY0000001" or claims["iss"] != "TEAM000001":
            raise Refusal(refusal(403, "InvalidProviderToken"))
        if not time.time() - HOUR < claims["iat"] <= time.time() + 1:
            raise Refusal(refusal(403, "ExpiredProviderToken"))
        self.provider_tokens.add(token)

    def push(self, request: Request, device: str) -> Answer:
        body = json.loads(request.body)
        if len(request.body) > MOST_BYTES:
            return refusal(413, "PayloadTooLarge")
        if request.headers["apns-topic"] != (f"{TOPIC}.voip" if device.startswith("device-voip-") else TOPIC):
            return refusal(400, "DeviceTokenNotForTopic")
        if request.headers["apns-push-type"] != ("voip" if request.headers["apns-topic"] != TOPIC else "alert"):
            return refusal(400, "InvalidPushType")
        if len(request.headers.get("apns-collapse-id", "")) > 64:
            return refusal(400, "BadCollapseId")
        if since := self.gone.get(device):
            return refusal(410, "Unregistered", timestamp=int(since))
        if not device.startswith("device-"):
            return refusal(400, "BadDeviceToken")
        self.told.append((device, body))
        return Answer(200, "", {"apns-id": "0E3DAC42-0000-0000-0000-000000000001"})

    def not_found(self, request: Request) -> Answer:
        return refusal(404, "BadPath")

    def server_error(self, request: Request) -> Answer:
        return refusal(500, "InternalServerError")

    routes = (("POST", "/3/device/(.+)", push),)
