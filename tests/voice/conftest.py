"""Twilio's side: webhooks as it posts them, form-encoded and truly signed."""

from urllib.parse import urlencode

import pytest
from django.conf import settings
from twilio.request_validator import RequestValidator

from voice.telephony.sandbox_telephony import secret

EVENTS = "/api/voice/conferenceEvents"


def auth_token():
    return settings.TELEPHONY["OPTIONS"].get("auth_token") or secret("auth token")


def sign(path, params):
    validator = RequestValidator(auth_token())
    texts = {name: str(value) for name, value in params.items()}
    return validator.compute_signature(f"{settings.PUBLIC_URL}{path}", texts)


@pytest.fixture
def twilio(api):
    """Posts a signed webhook."""

    def post(path, signature=None, **params):
        signature = sign(path, params) if signature is None else signature
        return api.generic(
            "POST",
            path,
            urlencode(params),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signature},
        )

    return post


@pytest.fixture
def leg(twilio, group):
    """Someone's phone asks to be let in; the CallSid."""

    def leg(user, sid):
        twilio("/api/voice/makeCall", to=group.pk, From=f"client:u_{user.pk}", CallSid=sid)
        return sid

    return leg


@pytest.fixture
def tell(twilio, group):
    """Twilio tells about the group's conference."""

    def tell(number, event, call="", conference="CF1", **more):
        params = {"ConferenceSid": conference, "FriendlyName": group.pk, "SequenceNumber": number, "CallSid": call}
        answer = twilio(EVENTS, StatusCallbackEvent=event, **{**params, **more})
        assert (answer.status_code, answer.content) == (204, b"")

    return tell


@pytest.fixture
def shown(api, group):
    """Who the clients see on the call, and whether the group is on one."""

    def shown():
        names = [each["displayName"] for each in api.get(f"/api/groups/{group.pk}/callParticipants").json()]
        return names, api.get(f"/api/groups/{group.pk}/callStatus").json()["callStatus"]

    return shown
