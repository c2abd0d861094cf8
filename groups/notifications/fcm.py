"""Firebase Cloud Messaging, by its HTTP v1 API.

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send
"""

import json
import time
from threading import Lock

import httpx2
import jwt

from groups.models import Device
from groups.notifications.direct import LIVES, Clients, DirectChannel, Fate, Notification, may_do_later, word

API_BASE = "https://fcm.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
HOUR = 3600
MARGIN = 300
"""Seconds by which an access token is renewed before Google's time for it is over."""
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


class FCM(DirectChannel):
    name = "FCM"
    kinds = (Device.BindingType.FCM, Device.BindingType.GCM)

    def __init__(self, *, fcm_credentials: str, api_base: str = "") -> None:
        self.account = json.loads(fcm_credentials)
        self.path = f"/v1/projects/{self.account['project_id']}/messages:send"
        self.clients = Clients(base_url=api_base or API_BASE)
        self.token, self.valid_until, self.lock = "", float("-inf"), Lock()

    def prepare(self, *, timeout: float) -> None:
        """Asks Google for an access token, for an hour.

        https://developers.google.com/identity/protocols/oauth2/service-account#httprest
        """
        with self.lock:
            if time.monotonic() < self.valid_until:
                return
            now, audience = int(time.time()), self.account["token_uri"]
            claims = {
                "iss": self.account["client_email"],
                "scope": SCOPE,
                "aud": audience,
                "iat": now,
                "exp": now + HOUR,
            }
            assertion = jwt.encode(claims, self.account["private_key"], algorithm="RS256")
            form = {"grant_type": GRANT, "assertion": assertion}
            answer = self.clients.post(audience, data=form, timeout=timeout).raise_for_status().json()
            self.token = str(answer["access_token"])
            self.valid_until = time.monotonic() + int(answer["expires_in"]) - MARGIN

    def post(self, device: Device, notification: Notification, *, timeout: float) -> httpx2.Response:
        message = {
            "token": device.address,
            "notification": {"body": notification.body},
            "data": {name: str(value) for name, value in notification.data().items()},
            "android": {"collapse_key": notification.collapses, "priority": "HIGH", "ttl": f"{LIVES}s"},
        }
        headers = {"authorization": f"Bearer {self.token}"}
        return self.clients.post(self.path, json={"message": message}, headers=headers, timeout=timeout)

    def fate(self, device: Device, answer: httpx2.Response) -> Fate:
        """https://firebase.google.com/docs/cloud-messaging/error-codes

        A 404 alone is no word about a device: a project that is misspelt is one too.
        """
        if answer.status_code == 401:  # the key was withdrawn: the next one is asked with a new token
            self.valid_until = float("-inf")
        if self.reason(answer) == "UNREGISTERED":
            return Fate.GONE
        return Fate.MISSED if may_do_later(answer.status_code) else Fate.REFUSED

    def reason(self, answer: httpx2.Response) -> str:
        try:
            details = answer.json()["error"]["details"]
            return next(word(each["errorCode"]) for each in details if each["@type"] == FCM_ERROR)
        except (ValueError, KeyError, TypeError, StopIteration):
            return ""
