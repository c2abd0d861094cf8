"""Bodies of very many small parts: bounded before they are read, and what a vendor signed is kept aside."""

import json
import time

import pytest
from django.test import Client as Browser

from billing.models import PaymentNotice, StripeEvent
from tests.conftest import person
from tests.doubles.stripe import signature
from tests.voice.conftest import sign, twilio  # noqa: F401  # a fixture
from voice.models import ConferenceEvent, UnreadWebhook

pytestmark = pytest.mark.django_db

MANY = {f"f{number}": "x" for number in range(10_001)}
MIB = 1024 * 1024
COSTLY = {
    "lists": b"[" + b"[]," * (MIB // 3 - 2) + b"[]]",
    "objects": b"[" + b"{}," * (MIB // 3 - 2) + b"{}]",
    "ones": b"[" + b"1," * (MIB // 2 - 2) + b"1]",
    "keys": b"{" + b",".join(b'"%d":1' % number for number in range(90_000)) + b"}",
}


@pytest.mark.parametrize("door", ["conferenceEvents", "callEvents", "captionEvents"])
def test_twilios_are_answered_204_kept_aside_and_told(twilio, door, settings, caplog):  # noqa: F811  # the fixture
    settings.OPEN_MODE = False
    path, fields = f"/api/voice/{door}", {"ConferenceSid": "CF1", "CallSid": "CA1", **MANY}
    answer = twilio(path, signature=sign(path, fields), **fields)
    assert answer.status_code == 204
    kept = UnreadWebhook.objects.get()
    assert (kept.path, kept.field_count > 10_000) == (f"/api/voice/{door}", True)
    assert "ConferenceSid CallSid f0 f1" in kept.text
    assert len(kept.text) == 10_000
    assert not ConferenceEvent.objects.exists()
    assert "more fields than are read" in PaymentNotice.objects.get().words
    assert any("is kept aside" in line for line in caplog.messages)


def test_a_caller_with_very_many_is_spoken_to(twilio, group):  # noqa: F811  # as above
    answer = twilio("/api/voice/makeCall", to=group.pk, **MANY)
    assert (answer.status_code, b"call again" in answer.content) == (200, True)
    assert UnreadWebhook.objects.count() == 1


def test_who_presses_a_key_with_very_many_is_spoken_to(twilio):  # noqa: F811  # as above
    answer = twilio("/api/voice/keypad", signature=sign("/api/voice/keypad", MANY), **MANY)
    assert (answer.status_code, b"<Say" in answer.content) == (200, True)


def test_what_twilio_did_not_sign_is_not_kept(twilio, settings):  # noqa: F811  # as above
    answer = twilio("/api/voice/callEvents", signature="c2lnbmVkIGJ5IG5vYm9keQ==", **MANY)
    assert answer.status_code == 403
    assert not UnreadWebhook.objects.exists()


def test_the_newest_hundred_are_kept_and_staff_see_them(twilio):  # noqa: F811  # as above
    UnreadWebhook.objects.bulk_create(UnreadWebhook(path="/old", field_count=1, text="") for _ in range(100))
    twilio("/api/voice/callEvents", signature=sign("/api/voice/callEvents", MANY), **MANY)
    assert UnreadWebhook.objects.count() == 100
    browser = Browser()
    browser.force_login(person("Root", is_staff=True, is_superuser=True))
    assert b"/api/voice/callEvents" in browser.get("/admin/voice/unreadwebhook/").content


@pytest.mark.parametrize("body", COSTLY.values(), ids=COSTLY)
def test_a_mebibyte_of_small_values_is_refused_before_it_is_read(api, body):
    def spent():
        start = time.process_time()
        answer = api.generic("POST", "/api/groups", body, content_type="application/json")
        assert answer.status_code == 400
        assert "more than 20000 values" in answer.json()["detail"]
        return time.process_time() - start

    assert min(spent() for _ in range(3)) < 0.2  # the first request of a process also loads what all need


def test_stripes_very_many_fields_are_signed_like_any(stripe_payments, api):
    body = json.dumps({"id": "evt_1", "object": "event", "type": "x.y", "data": {"object": MANY}}).encode()
    headers = {"Stripe-Signature": signature(body)}
    answer = api.generic("POST", "/api/billing/stripeWebhook", body, content_type="application/json", headers=headers)
    assert (answer.status_code, StripeEvent.objects.count()) == (204, 1)
