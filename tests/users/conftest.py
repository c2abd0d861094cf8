"""Signing in as a client does, and what comes of it."""

import pytest

from tests.doubles.issuer import IssuerDouble, rsa_key


def outcome(answer):
    """The status, and for a refusal its code; each 401 says how to sign in."""
    if answer.status_code == 401:
        assert answer["WWW-Authenticate"].partition(" ")[0] == "Bearer"
    return (answer.status_code, answer.json()["code"]) if answer.status_code >= 400 else answer.status_code


@pytest.fixture
def ask(api, alice):
    """Asks for Alice's balance, which only she may see."""

    def ask(token, scheme="Bearer"):
        path = f"/api/users/{alice.pk}/accountBalance"
        return api.get(path, headers={} if token is None else {"Authorization": f"{scheme} {token}"})

    return ask


@pytest.fixture
def sign_up(api):
    def sign_up(token, email="eve@example.com"):
        body = {"email": email, "nickname": "Eve"}
        return api.post("/api/users", body, headers={"Authorization": f"Bearer {token}"})

    return sign_up


@pytest.fixture
def thief(_loopback):
    with IssuerDouble() as double:
        double.keys = [rsa_key("thief")]
        yield double
