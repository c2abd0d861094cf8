"""Apple's push service, over HTTP/2 and signed in by tokens.

https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
"""

import time
from threading import Lock
from typing import Any
from urllib.parse import quote

import httpx2
import jwt

from groups.models import Device
from groups.notifications.direct import LIVES, Clients, DirectChannel, Fate, Notification, may_do_later, word

API_BASE = "https://api.push.apple.com"
TOKEN_LIVES = 40 * 60
"""Seconds. Apple takes none that is older than an hour, and none that is renewed within 20 minutes.

https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns
"""
OURS = ("BadCertificateEnvironment", "ExpiredProviderToken", "InvalidProviderToken", "MissingProviderToken")
"""Of 403: what the operator can mend, and no fault of the device."""


class APNs(DirectChannel):
    name = "APNs"
    kinds = (Device.BindingType.APN, Device.BindingType.VOIP)

    def __init__(
        self, *, apns_key: str, apns_key_id: str, apns_team_id: str, apns_topic: str, api_base: str = ""
    ) -> None:
        self.key, self.key_id, self.team_id, self.topic = apns_key, apns_key_id, apns_team_id, apns_topic
        self.clients = Clients(base_url=api_base or API_BASE, http1=False)
        self.token, self.renewed, self.lock = "", float("-inf"), Lock()

    def prepare(self, *, timeout: float) -> None:
        """Signs a provider token, where the one before is too old."""
        with self.lock:
            if time.monotonic() >= self.renewed + TOKEN_LIVES:
                claims = {"iss": self.team_id, "iat": int(time.time())}
                self.token = jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": self.key_id})
                self.renewed = time.monotonic()

    def post(self, device: Device, notification: Notification, *, timeout: float) -> httpx2.Response:
        headers = {"authorization": f"bearer {self.token}", "apns-priority": "10"}
        if device.rings:
            headers |= self.ring()
            body: dict[str, Any] = {"aps": {}, "body": notification.body}
        else:
            headers |= self.alert(notification)
            shown = {"alert": {"body": notification.body}, "sound": "default", "thread-id": notification.collapses}
            body = {"aps": shown}
        body |= notification.data()
        return self.clients.post(
            f"/3/device/{quote(device.address, safe='')}", json=body, headers=headers, timeout=timeout
        )

    def ring(self) -> dict[str, str]:
        """Now or never: a call that is kept for a phone that is off would ring when it is over."""
        return {"apns-topic": f"{self.topic}.voip", "apns-push-type": "voip", "apns-expiration": "0"}

    def alert(self, notification: Notification) -> dict[str, str]:
        return {
            "apns-topic": self.topic,
            "apns-push-type": "alert",
            "apns-expiration": str(int(time.time()) + LIVES),
            "apns-collapse-id": notification.collapses,
        }

    def fate(self, device: Device, answer: httpx2.Response) -> Fate:
        """https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns

        Of a token that was registered again since, Apple's word is old. "BadDeviceToken" forgets nothing: where the
        other of Apple's two environments is asked, every token is one.
        """
        said = self.said(answer)
        if answer.status_code == 410:
            since = said.get("timestamp")
            is_newer = isinstance(since, int) and since > device.checked_at.timestamp() * 1000
            return Fate.GONE if is_newer else Fate.REFUSED
        return Fate.MISSED if may_do_later(answer.status_code) or said.get("reason") in OURS else Fate.REFUSED

    def reason(self, answer: httpx2.Response) -> str:
        return word(self.said(answer).get("reason"))

    def said(self, answer: httpx2.Response) -> dict[str, Any]:
        try:
            said = answer.json()
        except ValueError:
            said = {}
        return said if isinstance(said, dict) else {}
