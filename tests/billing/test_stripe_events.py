"""Only what Stripe has signed is an event: every body here is signed by the rules, or broken on purpose."""

import json
import time

import pytest

from billing.gateway.interface import SignatureVerificationError, payments
from billing.gateway.stripe_payments import StripePayments
from core.vendors import NotConfigured
from tests.doubles.stripe import WEBHOOK_SECRET, event, signature
from tests.doubles.stripe_objects import declined, new_charge, new_intent

INTENT = {**new_intent(500, "cus_1", "pm_1", {"topUp": "one"}, "Voice Chatroom top-up"), "status": "succeeded"}
BODY = event("payment_intent.succeeded", INTENT)


@pytest.fixture
def read(stripe_payments):
    def read(body=BODY, header=None):
        return stripe_payments.construct_event(body=body, signature=signature(body) if header is None else header)

    return read


def test_a_signed_event_is_read(read):
    found = read()
    assert (found.type, found.about.top_up) == ("payment_intent.succeeded", "one")
    assert (found.about.id, found.about.amount_cents) == (INTENT["id"], 500)
    assert (found.about.status, found.about.message) == ("succeeded", "")
    assert found.payload["data"]["object"].items() <= INTENT.items()


def test_where_our_key_does_not_say_of_which_mode_it_is_events_of_either_are_read():
    read = StripePayments(sk_test="made_up").event_from_payload
    for livemode in (True, False):
        assert read(json.loads(event("payment_intent.succeeded", INTENT, livemode=livemode))).about.top_up == "one"


def test_a_failed_payment_says_why(read):
    failed = {**INTENT, "status": "requires_payment_method", "last_payment_error": declined()}
    assert read(event("payment_intent.payment_failed", failed)).about.message == "Your card was declined."


def test_an_event_about_something_else_carries_no_payment(read):
    found = read(event("charge.captured", new_charge(INTENT, succeeded=True)))
    assert (found.type, found.about) == ("charge.captured", None)


def test_a_payment_of_somebody_elses_making_has_no_top_up(read):
    found = read(event("payment_intent.succeeded", {**INTENT, "metadata": {}}))
    assert (found.about.id, found.about.top_up) == (INTENT["id"], "")


def test_text_in_any_script_is_read(read):
    assert read(event("payment_intent.succeeded", {**INTENT, "description": "Größe 👋"})).about


def test_one_good_signature_among_several_is_enough(read):
    stamp, good = signature(BODY).split(",")
    assert read(header=f"{stamp},v1={'0' * 64},{good},v0=old").about.top_up == "one"


def test_a_changed_byte_is_forged(read):
    with pytest.raises(SignatureVerificationError):
        read(BODY.replace(b'"amount": 500', b'"amount": 900'), signature(BODY))


def test_another_secret_is_forged(read):
    with pytest.raises(SignatureVerificationError):
        read(header=signature(BODY, secret="whsec_somebody_elses"))


@pytest.mark.parametrize("secret", [WEBHOOK_SECRET, "whsec_new"])
def test_while_a_secret_is_rolled_either_signs(stripe_payments, settings, secret):
    options = {**settings.PAYMENTS["OPTIONS"], "webhook_secret": f"whsec_new,{WEBHOOK_SECRET}"}
    settings.PAYMENTS = {**settings.PAYMENTS, "OPTIONS": options}
    read = payments().construct_event
    assert read(body=BODY, signature=signature(BODY, secret=secret)).about.top_up == "one"
    with pytest.raises(SignatureVerificationError):
        read(body=BODY, signature=signature(BODY, secret="whsec_somebody_elses"))


@pytest.mark.parametrize("seconds", [-301, 302, 10_000_000])
def test_a_time_far_from_now_is_forged(read, seconds):
    with pytest.raises(SignatureVerificationError):
        read(header=signature(BODY, at=time.time() + seconds))


@pytest.mark.parametrize("seconds", [-290, 290])
def test_a_clock_may_be_a_little_off(read, seconds):
    assert read(header=signature(BODY, at=time.time() + seconds)).about.top_up == "one"


@pytest.mark.parametrize(
    "header",
    ["", "t=", "garbage", "t=1,v1=é", "t=é,v1=0", "v1=0", "t=now", "t=1=1,v1", ",", "\x00", "t=٣,v1=0"],
)
def test_a_header_that_is_no_signature_is_forged(read, header):
    header = header.replace("now", str(int(time.time())))
    with pytest.raises(SignatureVerificationError):
        read(header=header)


def test_a_time_that_is_written_otherwise_is_forged(read):
    with pytest.raises(SignatureVerificationError):
        read(header=signature(BODY).replace("t=", "t=+"))


def test_a_signature_in_another_script_is_forged(read):
    with pytest.raises(SignatureVerificationError):
        read(header=f"t={int(time.time())},v1={'é' * 64}")


@pytest.mark.parametrize("stamp", ["9" * 5000, "-1", "1e9", " "])
def test_a_hostile_time_is_forged(read, stamp):
    with pytest.raises(SignatureVerificationError):
        read(header=f"t={stamp},v1=0")


@pytest.mark.parametrize("body", [b"", b"not json", b"{", b"[]", b"null", b"{}", b'"text"', b"7", b"[" * 9_999])
def test_a_body_that_is_no_event_is_read_if_it_is_signed(read, body):
    found = read(body)
    assert (found.type, found.about.reason) == ("not an event", "it has no id and type, as events have")
    assert found.id == read(body).id


def test_a_body_that_is_no_text_is_forged(read):
    with pytest.raises(SignatureVerificationError):
        read(b"\xff\xfe")


def test_of_an_event_without_its_object_it_is_said_what_is_missing(read):
    found = read(b'{"id": "evt_1", "object": "event", "type": "payment_intent.succeeded"}')
    assert (found.id, found.about.reason) == ("evt_1", "its status is missing")


@pytest.mark.parametrize(
    "header",
    ["", signature(BODY, secret=WEBHOOK_SECRET), signature(BODY, secret="")],
    ids=["unsigned", "signed", "signed with nothing"],  # a signature's own text holds the time
)
def test_without_a_secret_nothing_is_read(stripe_payments, settings, header):
    options = {**settings.PAYMENTS["OPTIONS"], "webhook_secret": ""}
    settings.PAYMENTS = {**settings.PAYMENTS, "OPTIONS": options}
    with pytest.raises(NotConfigured, match="STRIPE_WEBHOOK_SECRET"):
        payments().construct_event(body=BODY, signature=header)
