"""Firebase Cloud Messaging on the loopback, and beside it Google's token endpoint.

https://firebase.google.com/docs/cloud-messaging/error-codes https://developers.google.com/identity/protocols/oauth2/service-account
"""

import json
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.doubles.server import Answer, Double, Refusal, Request

PROJECT, EMAIL = "family-1", "pusher@family-1.iam.gserviceaccount.com"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


@cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def account(token_uri: str) -> dict[str, str]:
    """What stands in the file that Google gives."""
    pem = private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    names = {"type": "service_account", "project_id": PROJECT, "client_email": EMAIL, "private_key_id": "k1"}
    return {**names, "private_key": pem, "token_uri": token_uri}


def error(status: int, code: str) -> Answer:
    return Answer(status, {"error": {"code": status, "details": [{"@type": ERROR, "errorCode": code}]}})


class FCMDouble(Double):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.gone: set[str] = set()
        self.access_tokens: list[str] = []

    def credentials(self) -> str:
        return json.dumps(account(f"{self.url}/token"))

    def token(self, request: Request) -> Answer:
        key, audience = private_key().public_key(), f"{self.url}/token"
        claims = jwt.decode(request.get("assertion"), key, algorithms=["RS256"], audience=audience)
        assert (claims["iss"], claims["scope"]) == (EMAIL, SCOPE)
        assert request.get("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        self.access_tokens.append(f"ya29.{len(self.access_tokens)}")
        return Answer(200, {"access_token": self.access_tokens[-1], "expires_in": 3600, "token_type": "Bearer"})

    def push(self, request: Request) -> Answer:
        if request.headers["authorization"] not in [f"Bearer {each}" for each in self.access_tokens]:
            raise Refusal(error(401, "THIRD_PARTY_AUTH_ERROR"))
        message = json.loads(request.body)["message"]
        if message["token"] in self.gone:
            return error(404, "UNREGISTERED")
        if not message["token"].startswith("device-"):
            return error(400, "INVALID_ARGUMENT")
        self.told.append((message["token"], message))
        return Answer(200, {"name": f"projects/{PROJECT}/messages/{len(self.told)}"})

    def not_found(self, request: Request) -> Answer:
        return Answer(404, {"error": {"code": 404, "status": "NOT_FOUND", "details": []}})

    def server_error(self, request: Request) -> Answer:
        return error(503, "UNAVAILABLE")

    routes = (("POST", "/token", token), ("POST", f"/v1/projects/{PROJECT}/messages:send", push))
