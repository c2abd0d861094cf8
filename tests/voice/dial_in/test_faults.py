"""Every answer is spoken: with the database down, hanging, or anything else of ours."""

from urllib.parse import urlencode

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError, connection

from tests.neighbours import ours
from tests.voice.conftest import sign
from tests.voice.dial_in.phone import Phone
from voice.models import Call

AGAIN = "Something went wrong on our side. Please call again in a minute."
DOORS = ("/api/voice/dialIn", "/api/voice/dialIn/pin")


@pytest.fixture
def down():
    """The database refuses everything."""

    def refuse(execute, sql, params, many, context):
        raise OperationalError("gone")

    return lambda: connection.execute_wrapper(refuse)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("keys", [{}, {"Digits": "1"}, {"Digits": "31415926"}])
def test_with_the_database_down_every_step_is_a_sentence(twilio, down, db, door, keys):
    with down():
        call = Phone(twilio, "+12025550123", stir="TN-Validation-Passed-A").ask(door, **keys)
    if call.is_over:
        assert call.heard == [AGAIN] * 2


def test_it_goes_down_while_a_code_is_typed(stranger, down, code, bob):
    call, known = stranger(), code(bob)
    with down():
        assert call.press(known).heard == [AGAIN] * 2
    assert not ours(Call).exists()


def test_in_the_language_that_the_number_tells(twilio, down, db):
    with down():
        call = Phone(twilio, "+493012345678", dialled="+493099999999").ask(DOORS[1], Digits="31415926")
    assert call.heard[0].startswith("Bei uns ist etwas schiefgegangen.")


@pytest.mark.parametrize("fault", [InterfaceError("gone"), IntegrityError("x"), KeyError("x")])
def test_so_is_any_fault_of_ours(stranger, code, bob, monkeypatch, fault):
    def fail(**_):
        raise fault

    call, known = stranger(), code(bob)
    monkeypatch.setattr("voice.dial_in.conversation.admit", fail)
    assert call.press(known).heard == [AGAIN] * 2


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("signature", ["", "x", "A" * 28])
def test_who_is_not_twilio_is_refused(twilio, db, door, signature):
    answer = twilio(door, signature, From="+12025550123")
    assert (answer.status_code, answer.json()["code"]) == (403, "signature_invalid")


@pytest.mark.parametrize("door", DOORS)
def test_a_step_that_was_tampered_with_is_not_signed(twilio, stranger, door, group):
    address = stranger().gather.get("action").removeprefix("http://localhost:3300")
    answer = twilio(f"{address}x", sign(address, {}))
    assert answer.status_code == 403


@pytest.mark.parametrize("door", DOORS)
def test_with_twilio_configured_an_unsigned_request_is_refused(api, twilio_telephony, door):
    assert api.post(door, {"From": "+12025550123"}).status_code == 403


@pytest.mark.parametrize("door", DOORS)
def test_with_too_many_fields_they_are_asked_to_come_again(twilio, db, door):
    fields = {f"f{number}": "x" for number in range(10_000)}
    assert Phone(twilio, "+12025550123").ask(door, **fields).heard == [AGAIN] * 2


HOSTILE = [
    "\x00",
    "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    "<Say>x</Say>",
    "é" * 999,
    "9" * 99,
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("door", DOORS)
def test_hostile_text_is_answered(twilio, db, door, text):
    params = {"From": text, "To": text, "CallSid": text, "Digits": text, "StirVerstat": text}
    body = urlencode(params)
    assert body
    answer = twilio(door, **params)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
    assert b"<Dial" not in answer.content


def test_a_groups_name_is_read_as_what_it_is(phone, verify, bob, group):
    group.name = '<Dial>\u202e & "x"\x07'
    group.save()
    verify(bob)
    assert phone().heard[0] == '<Dial> & "x".'
