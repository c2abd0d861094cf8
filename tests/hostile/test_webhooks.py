"""What only its sender may post: a signed request is believed, and none that differs from it in a single byte."""

import string
from dataclasses import dataclass, replace
from random import Random
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.access.rows import all_rows, changed
from tests.doubles.stripe import event, signature
from tests.doubles.stripe_objects import new_intent
from tests.hostile.conftest import EXAMPLES, SEED
from tests.voice.conftest import sign

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Signed:
    """A webhook request in the parts whose bytes are changed."""

    path: str
    query: str = ""
    body: bytes = b""
    content_type: str = FORM
    header: str = "HTTP_X_TWILIO_SIGNATURE"
    signature: str = ""
    method: str = "POST"

    def says(self):
        """What the receiver reads: a change that leaves this as it is (%2B, %2b) makes no other request."""
        kind, text = self.content_type.lower(), self.body.decode("latin-1")
        fields = [pair.partition("=")[1] and parse_qsl(pair, keep_blank_values=True) for pair in text.split("&")]
        return self.path.rstrip("/"), self.query, kind, fields if kind == FORM else text

    def headers(self):
        return {self.header: self.signature, "QUERY_STRING": self.query}


@pytest.fixture
def call(known):
    """What Twilio says of a call to the group."""
    return {"to": known["group_id"], "From": known["From"], "CallSid": "CA1", "To": "", "Caller": "+15551234567"}


@pytest.fixture
def door(request, call, known):
    """The signed request that the test is about, as the settings of this moment have it signed."""

    def posted(name, **params):
        path = f"/api/voice/{name}"
        return Signed(path, body=urlencode(params).encode(), signature=sign(path, params))

    def make_call():
        return posted("makeCall", **call)

    def ask_make_call():
        query = urlencode(call)
        path = "/api/voice/makeCall"
        return Signed(path, query, method="GET", content_type="", signature=sign(f"{path}?{query}", {}))

    def conference_events():
        told = {"StatusCallbackEvent": "participant-join", "SequenceNumber": 1, "FriendlyName": known["group_id"]}
        return posted("conferenceEvents", ConferenceSid="CF1", CallSid="CA1", Muted="false", **told)

    def call_events():
        return posted("callEvents", CallSid="CA1", CallStatus="completed", CallDuration=61, To="+15551234567")

    def stripe_webhook():
        body = event("payment_intent.succeeded", new_intent(2000, "cus_1", "pm_1", {}, ""))
        stripe = {"content_type": "application/json", "header": "HTTP_STRIPE_SIGNATURE", "signature": signature(body)}
        return Signed("/api/billing/stripeWebhook", body=body, **stripe)

    return locals()[request.param]()


CHANGES = 1_000 if EXAMPLES else 250
TWILIOS_DOORS = ("make_call", "ask_make_call", "conference_events", "call_events")


def changes(signed, count, random):
    """So many requests that differ from the signed one in one byte: another, one less, one more."""
    names = ("path", "query", "body", "signature", *(("content_type",) if signed.content_type == FORM else ()))
    parts = [name for name in names if getattr(signed, name)]  # Stripe signs the body, whatever its type is said to be
    seen = {signed}
    while len(seen) <= count:
        part = random.choices(parts, [len(getattr(signed, part)) for part in parts])[0]
        other = replace(signed, **{part: with_other_byte(getattr(signed, part), random)})
        if part == "signature" or other.says() != signed.says():
            seen.add(other)
    return seen - {signed}


def with_other_byte(value, random):
    """Bytes get any byte, text such as may stand in that place of an address or a header."""
    place = random.randrange(len(value))
    letter = random.randbytes(1) if isinstance(value, bytes) else random.choice(string.ascii_letters + string.digits)
    left_out, put_in = random.choice([(1, letter), (0, letter), (1, letter[:0])])
    return value[:place] + put_in + value[place + left_out :]


@pytest.fixture
def send(attack):
    def send(signed, **extra):
        headers = {**signed.headers(), **extra}
        return attack.send(str(signed), signed.method, signed.path, signed.body, signed.content_type, **headers)

    return send


@pytest.fixture
def all_are_refused(send, attack):
    def all_are_refused(signed):
        before = all_rows()
        others = sorted(changes(signed, CHANGES, Random(SEED)), key=str)
        accepted = [other for other in others if send(other).status_code < 400]
        assert len(others) == CHANGES
        assert (accepted, attack.faults, changed(before, all_rows())) == ([], [], [])
        assert send(signed).status_code < 300

    return all_are_refused


@pytest.mark.parametrize("door", TWILIOS_DOORS, indirect=True)
def test_its_changes_are_refused_where_sign_in_is_on(world, sign_in, door, all_are_refused):
    sign_in(world["owner"])
    all_are_refused(door)


@pytest.mark.parametrize("door", TWILIOS_DOORS, indirect=True)
def test_its_changes_are_refused_where_twilio_is_configured(twilio_telephony, door, all_are_refused):
    all_are_refused(door)


@pytest.mark.parametrize("door", ["stripe_webhook"], indirect=True)
def test_changes_of_stripes_event_are_refused(stripe_payments, door, all_are_refused):
    all_are_refused(door)


@pytest.fixture
def settled(request):
    """How the server is set up."""
    for name in request.param.split(" and "):
        request.getfixturevalue({"Twilio": "twilio_telephony", "the sandbox": "sandbox_telephony"}.get(name, name))


@pytest.fixture
def open_mode(settings):
    settings.OPEN_MODE = True


@pytest.fixture
def signing_in(world, sign_in):
    sign_in(world["owner"])


SETTINGS = {
    "open_mode and the sandbox": True,
    "open_mode and Twilio": False,
    "signing_in and the sandbox": False,
    "signing_in and Twilio": False,
}


@pytest.mark.parametrize("door", TWILIOS_DOORS, indirect=True)
@pytest.mark.parametrize(("settled", "is_let_in"), SETTINGS.items(), indirect=["settled"])
def test_an_unsigned_request_is_for_the_sandbox_of_open_mode(settled, is_let_in, door, attack, world):
    answer = attack.send("unsigned", door.method, door.path, door.body, FORM, QUERY_STRING=door.query)
    assert (answer.status_code < 300) is is_let_in


@pytest.mark.parametrize("body", [b'{"to": 1, "From": "client:u_1"}', b'{"to": 1, "x": "="}', b"{}"])
@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_a_body_for_which_no_signature_speaks_is_refused(signing_in, attack, body, kind):
    """Signed without fields, as when Twilio asks by GET: to that, somebody else has put a body of another kind."""
    path = "/api/voice/makeCall"
    answer = attack.send("other body", "POST", path, body, kind, HTTP_X_TWILIO_SIGNATURE=sign(path, {}))
    assert (answer.status_code, attack.faults) == (403, [])


@pytest.mark.parametrize("door", TWILIOS_DOORS, indirect=True)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_another_method_is_405_with_or_without_a_signature(signing_in, door, send, method):
    assert send(replace(door, method=method)).status_code == 405
    assert send(replace(door, method=method, signature="")).status_code == 405
