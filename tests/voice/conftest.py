"""Twilio's side: webhooks as it posts them, form-encoded and truly signed."""

from urllib.parse import urlencode

import pytest
from django.conf import settings
from twilio.request_validator import RequestValidator

from voice.sandbox_telephony import secret


def sign(path, params):
    validator = RequestValidator(secret("auth token"))
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
