"""What every implementation of Telephony does: the real adapter, over HTTP, and the sandbox."""

import time
from xml.etree import ElementTree

import jwt
import pytest
from django.http import QueryDict
from twilio.request_validator import RequestValidator

from tests.doubles.twilio import AUTH_TOKEN
from voice.telephony.interface import Announce, Dial, Gather, Say, telephony
from voice.telephony.sandbox_telephony import secret

URL = "https://voice.example.com/api/voice/makeCall"
PARAMS = {"CallSid": "CA1", "From": "client:u_1", "to": "7", "Text": "Größe 👋"}


@pytest.fixture(autouse=True, params=["sandbox_telephony", "twilio_telephony"])
def phone(request, db):
    return request.getfixturevalue(request.param)


@pytest.fixture
def sign(phone):
    """Signs as Twilio does, with the key of the implementation under test."""
    validator = RequestValidator(secret("auth token") if phone.name == "sandbox" else AUTH_TOKEN)
    return validator.compute_signature


def test_the_settings_name_it(phone):
    assert telephony() is phone


# --- Tokens ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def token(phone):
    return phone.access_token(identity="u_1")


@pytest.fixture
def claims(phone, token):
    return jwt.decode(token, phone.api_key_secret, algorithms=["HS256"])


def test_a_token_is_of_twilios_kind(token):
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT", "cty": "twilio-fpa;v=1"}


def test_a_token_names_its_issuer_and_account(phone, claims):
    assert (claims["iss"], claims["sub"]) == (phone.api_key, phone.account_sid)


def test_a_token_is_valid_for_an_hour(claims):
    assert claims["exp"] - time.time() == pytest.approx(3600, abs=5)


def test_a_token_lets_its_identity_call_and_be_called(phone, claims):
    assert claims["grants"] == {
        "identity": "u_1",
        "voice": {
            "incoming": {"allow": True},
            "outgoing": {"application_sid": phone.app_sid},
            "push_credential_sid": phone.push_credential_sid,
        },
    }


def test_another_key_does_not_open_a_token(token):
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, "another key that is long enough for HS256", algorithms=["HS256"])


# --- TwiML ----------------------------------------------------------------------------------------------------------


def read(twiml):
    return ElementTree.fromstring(twiml)  # our own


@pytest.fixture
def dial(phone):
    callback = "https://voice.example.com/api/voice/conferenceEvents?a=1&b=2"
    dialled = Dial(group_id=7, participant_label="leg_9", time_limit=600, status_callback=callback)
    return read(phone.answer(dialled)).find("Dial")


def test_a_caller_is_let_into_the_groups_conference(dial):
    conference = dial.find("Conference")
    assert conference.text == "7"
    assert conference.get("participantLabel") == "leg_9"
    assert conference.get("statusCallback") == "https://voice.example.com/api/voice/conferenceEvents?a=1&b=2"
    assert conference.get("statusCallbackEvent") == "start end join leave mute hold announcement"


def test_a_leg_has_a_caller_and_an_end(phone, dial):
    assert (dial.get("callerId"), dial.get("timeLimit")) == (phone.caller_id, "600")


def test_without_a_label_there_is_none(phone):
    twiml = phone.answer(Dial(group_id=7, participant_label="", time_limit=600, status_callback=URL))
    assert "participantLabel" not in twiml


def test_a_sentence_is_spoken_as_it_is_and_the_call_ends(phone):
    spoken = read(phone.answer(Say(('Tom & Jerry <b>"á"</b>',))))
    assert [(each.tag, each.text) for each in spoken] == [("Say", 'Tom & Jerry <b>"á"</b>'), ("Hangup", None)]


def test_sentences_are_spoken_slowly_in_their_language_as_often_as_asked(phone):
    spoken = read(phone.answer(Say(("Guten Tag.", "Bis bald."), "de-DE", times=2)))
    assert [each.text or each.tag for each in spoken] == [
        *("Guten Tag.", "Pause", "Bis bald.", "Pause", "Guten Tag.", "Pause", "Bis bald.", "Hangup")
    ]
    assert {each.get("language") for each in spoken.iter("Say")} == {"de-DE"}


def test_an_announcement_hangs_up_on_nobody(phone):
    spoken = read(phone.answer(Announce(("One minute.",), "de-DE", times=2)))
    assert [each.text or each.tag for each in spoken] == ["One minute.", "Pause", "One minute."]


def test_a_greeting_is_heard_before_the_conference(phone):
    dialled = Dial(group_id=7, participant_label="", time_limit=600, status_callback=URL, greeting=("Family.",))
    assert [(each.tag, each.text) for each in read(phone.answer(dialled))] == [("Say", "Family."), ("Dial", None)]


def test_a_question_is_asked_twice_and_who_presses_nothing_is_asked_on(phone):
    asked, onward = read(phone.answer(Gather(("Press 1.",), "en-US", f"{URL}?a=1&b=2", digits=1, timeout=5)))
    keys = {"input": "dtmf", "numDigits": "1", "timeout": "5"}
    assert asked.attrib == {**keys, "action": f"{URL}?a=1&b=2", "method": "POST"}
    assert [each.text for each in asked] == ["Press 1.", None, "Press 1."]
    assert (onward.tag, onward.text, onward.get("method")) == ("Redirect", f"{URL}?a=1&b=2", "POST")


# --- Signatures -----------------------------------------------------------------------------------------------------


def test_a_signed_webhook_is_known(phone, sign):
    assert phone.is_signed(url=URL, params=PARAMS, signature=sign(URL, PARAMS))


def test_a_form_with_repeated_fields_is_known(phone, sign):
    form = QueryDict("to=7&to=8&CallSid=CA1")
    assert phone.is_signed(url=URL, params=form, signature=sign(URL, form))


def test_a_webhook_without_fields_is_known(phone, sign):
    assert phone.is_signed(url=f"{URL}?to=7", params={}, signature=sign(f"{URL}?to=7", {}))


@pytest.mark.parametrize(
    ("url", "params"),
    [(URL, {**PARAMS, "to": "8"}), (URL, {}), (f"{URL}/", PARAMS), (URL.replace("voice.", "evil."), PARAMS)],
)
def test_what_was_changed_is_not_signed(phone, sign, url, params):
    assert not phone.is_signed(url=url, params=params, signature=sign(URL, PARAMS))


@pytest.mark.parametrize("signature", [None, "", " ", "é", "\x00", "=" * 28, "é" * 28, "A" * 100_000, b"A" * 28, 7, []])
def test_a_hostile_signature_is_not_one(phone, signature):
    assert phone.is_signed(url=URL, params=PARAMS, signature=signature) is False


@pytest.mark.parametrize("params", [None, {"a": None}, {"a": 7}, {"a": "\ud800"}, {1: "a", "b": "c"}, [1], "text", 7])
def test_hostile_fields_are_not_signed(phone, params):
    assert phone.is_signed(url=URL, params=params, signature="A" * 28) is False


@pytest.mark.parametrize("url", ["", "\x00", "https://[::1", "https://a:b/", "https://a:99999/", "é", None])
def test_a_hostile_address_is_not_signed(phone, url):
    assert phone.is_signed(url=url, params=PARAMS, signature="A" * 28) is False


# --- Conferences ----------------------------------------------------------------------------------------------------


def test_ending_what_does_not_run_changes_nothing(phone):
    sid = f"CF{'0' * 32}"
    assert phone.end_conference(sid=sid) is phone.end_call(call_sid=f"CA{'0' * 32}") is (phone.name == "sandbox")


@pytest.mark.parametrize("muted", [True, False])
def test_muting_who_is_not_there_changes_nothing(phone, muted):
    ids = {"conference_sid": f"CF{'0' * 32}", "call_sid": f"CA{'0' * 32}"}
    assert phone.mute(**ids, muted=muted) is (phone.name == "sandbox")


def test_nothing_is_spoken_where_nobody_is(phone):
    assert phone.announce(conference_sid=f"CF{'0' * 32}", url=URL) is (phone.name == "sandbox")
