"""A signed request with one byte changed is nobody's: refused, and nothing is written."""

import json
from random import Random
from urllib.parse import unquote_to_bytes, urlencode

import pytest
from django.core.handlers.wsgi import WSGIRequest
from rest_framework.test import APIClient

from tests.access.rows import all_rows
from tests.doubles.stripe import event
from tests.doubles.stripe import signature as stripe_signature
from tests.voice.conftest import sign

CHANGES = 250
"""Of each of the four webhooks: a thousand in all."""
FORM = "application/x-www-form-urlencoded"
CONFERENCE = {"ConferenceSid": "CF1", "FriendlyName": "1", "SequenceNumber": "1", "StatusCallbackEvent": "hold"}
TWILIOS = {
    "/api/voice/makeCall": {"to": "1", "From": "client:u_1", "CallSid": "CA1"},
    "/api/voice/conferenceEvents": CONFERENCE,
    "/api/voice/callEvents": {"CallSid": "CA1", "CallStatus": "completed", "CallDuration": "60"},
}
REFUSED = {400, 403, 404, 411, 413, 415}


def changed(whole: bytes, random: Random) -> bytes:
    """Never into another way to write the same fields, as %3a is for %3A: the signature is over what they say."""
    while True:
        place = random.randrange(len(whole))
        other = whole[:place] + bytes([random.randrange(256)]) + whole[place + 1 :]
        if unquote_to_bytes(other) != unquote_to_bytes(whole):
            return other


def post(path: str, body: bytes, content_type: str, header: str, signature: str) -> WSGIRequest:
    return APIClient().generic("POST", path, body, content_type=content_type, headers={header: signature})


@pytest.fixture(params=["sandbox", "Twilio"])
def doors(request, settings, group):
    """With Twilio configured, and in the sandbox where sign-in is on."""
    if request.param == "Twilio":
        request.getfixturevalue("twilio_telephony")
    else:
        settings.OPEN_MODE = False


@pytest.mark.parametrize("path", TWILIOS)
def test_twilios_signature_covers_every_byte_of_its_body(doors, path):
    body, header, random = urlencode(TWILIOS[path]).encode(), sign(path, TWILIOS[path]), Random(path)
    before = all_rows()
    for _ in range(CHANGES):
        other = changed(body, random)
        answer = post(path, other, FORM, "X-Twilio-Signature", header)
        assert answer.status_code in REFUSED, other
    assert all_rows() == before
    assert post(path, body, FORM, "X-Twilio-Signature", header).status_code < 300


@pytest.mark.parametrize("path", TWILIOS)
def test_twilios_signature_covers_the_address_and_itself(doors, path):
    body, header, random = urlencode(TWILIOS[path]).encode(), sign(f"{path}?a=1", TWILIOS[path]), Random(path)
    before = all_rows()
    for query in ("", "?a=2", "?a=1&to=1", "?A=1", "?a=1&"):
        assert post(f"{path}{query}", body, FORM, "X-Twilio-Signature", header).status_code in REFUSED
    for _ in range(CHANGES // 5):
        other = changed(header.encode(), random).decode("latin-1")
        assert post(f"{path}?a=1", body, FORM, "X-Twilio-Signature", other).status_code in REFUSED
    assert all_rows() == before


def test_stripes_signature_covers_every_byte(stripe_payments, db):
    path, random = "/api/billing/stripeWebhook", Random(1)
    body = event("customer.created", {"id": "cus_1", "object": "customer"})
    header = stripe_signature(body)
    before = all_rows()
    for number in range(CHANGES):
        if number % 2:
            answer = post(path, changed(body, random), "application/json", "Stripe-Signature", header)
        else:
            forged = changed(header.encode(), random).decode("latin-1")
            answer = post(path, body, "application/json", "Stripe-Signature", forged)
        assert (answer.status_code, json.loads(answer.content)["code"]) == (400, "signature_invalid")
    assert all_rows() == before
    assert post(path, body, "application/json", "Stripe-Signature", header).status_code == 204
