"""What only the real adapter meets: Twilio's limits, its errors, and a network that fails."""

from urllib.parse import urlsplit

import jwt
import pytest
from twilio.request_validator import RequestValidator

from tests.doubles.server import Answer, Fault
from tests.doubles.twilio import AUTH_TOKEN, error
from voice.telephony.interface import TelephonyRefused, TelephonyUnavailable, telephony


@pytest.fixture
def phone(twilio_telephony):
    return twilio_telephony


@pytest.fixture
def double(twilio_double):
    return twilio_double


@pytest.fixture
def price(phone, double):
    """Asks what a call cost that ended just now."""
    sid = double.call()
    return lambda: phone.call(sid=sid).price_micros


@pytest.fixture
def configured(settings):
    """The implementation with other options."""

    def configured(**options):
        settings.TELEPHONY = {**settings.TELEPHONY, "OPTIONS": {**settings.TELEPHONY["OPTIONS"], **options}}
        return telephony()

    return configured


# --- What may be configured ------------------------------------------------------------------------------------------


def test_without_a_push_credential_tokens_have_none(phone, configured):
    token = configured(push_credential_sid="").access_token(identity="u_1")
    assert "push_credential_sid" not in grants(phone, token)["voice"]


def grants(phone, token):
    return jwt.decode(token, phone.api_key_secret, algorithms=["HS256"])["grants"]


@pytest.mark.parametrize(("token", "known"), [(AUTH_TOKEN, True), ("the old one", True), ("", False), ("x", False)])
def test_while_a_token_is_rotated_both_sign(phone, configured, token, known):
    both = configured(auth_token_secondary="the old one")
    signature = RequestValidator(token).compute_signature("https://example.com/", {"a": "b"})
    assert both.is_signed(url="https://example.com/", params={"a": "b"}, signature=signature) == known


def test_without_a_rotation_the_old_token_signs_nothing(phone):
    signature = RequestValidator("").compute_signature("https://example.com/", {"a": "b"})
    assert not phone.is_signed(url="https://example.com/", params={"a": "b"}, signature=signature)


@pytest.mark.parametrize(
    ("place", "host"),
    [
        ({"region": "ie1", "edge": "dublin"}, "api.dublin.ie1.twilio.com"),
        ({"edge": "sydney"}, "api.sydney.us1.twilio.com"),
        ({"region": "au1"}, "api.au1.twilio.com"),
        ({}, "api.twilio.com"),
    ],
)
def test_the_region_and_the_edge_choose_the_host(phone, configured, place, host):
    assert urlsplit(configured(**place).client.get_hostname("https://api.twilio.com/2010-04-01")).netloc == host


def test_another_base_takes_the_place_of_any_host(phone, double, configured):
    sid = double.call()
    assert configured(region="ie1", edge="dublin").call(sid=sid).ended


def test_a_token_says_the_region_that_it_is_for(phone, configured):
    there, here = (each.access_token(identity="u_1") for each in (configured(region="ie1"), phone))
    assert jwt.get_unverified_header(there)["twr"] == "ie1"
    assert "twr" not in jwt.get_unverified_header(here)


# --- Conferences ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["init", "in-progress"])
def test_a_conference_is_ended_by_its_sid(phone, double, status):
    conference = double.start_conference("7", status)
    assert phone.end_conference(sid=conference["sid"])
    assert double.running_conferences() == []


def test_another_conference_of_the_same_name_goes_on(phone, double):
    ours, other = double.start_conference("7"), double.start_conference("7")
    phone.end_conference(sid=ours["sid"])
    assert double.running_conferences() == [other]


def test_what_twilio_does_not_know_is_told_from_what_has_ended(phone, double):
    double.fail_next(error(400, 20001, "Conference is not in-progress"))
    assert phone.end_conference(sid=double.start_conference("7")["sid"])
    assert not phone.end_conference(sid=f"CF{'f' * 32}")


# --- Prices ---------------------------------------------------------------------------------------------------------


def test_a_price_is_not_known_at_first(price):
    assert price() is None


@pytest.mark.parametrize(
    ("text", "micros"),
    [("-0.0085", -8500), ("-0.01570", -15700), ("-1.23456", -1_234_560), ("0", 0), ("-0.0000001", 0)],
)
def test_a_price_comes_in_whole_micro_dollars(phone, double, text, micros):
    assert phone.call(sid=double.call(price=text)).price_micros == micros


@pytest.mark.parametrize(("price", "unit"), [("-2.10", "JPY"), ("-0.0085", "EUR"), ("0", "gbp"), ("1e400", "JPY")])
def test_a_price_in_another_unit_is_never_read_as_dollars(phone, double, price, unit):
    sid = double.call(price=price)
    double.calls[sid]["price_unit"] = unit
    report = phone.call(sid=sid)
    assert (report.price_micros, report.price_told, report.price_unit) == (None, price, unit.upper())


@pytest.mark.parametrize("unit", ["USD", "usd", None, ""])
def test_a_price_without_another_unit_is_in_dollars(phone, double, unit):
    sid = double.call(price="-0.0085")
    double.calls[sid]["price_unit"] = unit
    assert (phone.call(sid=sid).price_micros, phone.call(sid=sid).price_unit) == (-8500, "USD")


@pytest.mark.parametrize("times", [None, "", "yesterday", "Sun, 32 Nov 2026 06:00:00 +0000", 7, {}])
def test_a_time_that_cannot_be_read_is_none(phone, double, times):
    sid = double.call()
    double.calls[sid].update(start_time=times, end_time=times)
    assert (phone.call(sid=sid).start_time, phone.call(sid=sid).end_time) == (None, None)


@pytest.mark.parametrize("told", ["long", "-1", "1.5", "NaN", "٣", "9" * 30, True, {}])
def test_a_duration_and_a_price_that_are_no_numbers_are_told_as_they_came(phone, double, told):
    sid = double.call(price=told)
    double.calls[sid]["duration"] = told
    report = phone.call(sid=sid)
    assert (report.duration, report.duration_told, report.price_told) == (None, str(told), str(told))


@pytest.mark.parametrize("answer", [Answer(200, "[]"), Answer(200, "null")])
def test_an_answer_that_makes_no_sense_is_none(price, double, answer):
    double.fail_next(answer)
    with pytest.raises(TelephonyUnavailable):
        price()


def test_a_call_that_twilio_does_not_know_is_in_doubt(phone):
    assert phone.call(sid=f"CA{'f' * 32}") is None


def test_a_running_call_has_no_price_and_no_duration(phone, double):
    running = phone.call(sid=double.call(status="in-progress"))
    assert (running.ended, running.duration, running.price_micros) == (False, 0, None)


def test_a_leg_is_ended_and_one_that_has_ended_is_left_alone(phone, double):
    sid = double.call(status="in-progress")
    phone.end_call(call_sid=sid)
    phone.end_call(call_sid=sid)
    phone.end_call(call_sid=f"CA{'f' * 32}")
    assert phone.call(sid=sid).ended


def test_a_conference_names_everybody_on_it_over_all_pages(phone, double):
    sid = double.start_conference("7")["sid"]
    double.people[sid] = [f"CA{number:032x}" for number in range(5)]
    assert phone.conference(sid=sid).on == frozenset(double.people[sid])


def test_a_conference_that_has_ended_is_completed_and_one_that_twilio_does_not_know_is_in_doubt(phone, double):
    assert phone.conference(sid=double.start_conference("7", status="completed")["sid"]).completed
    assert phone.conference(sid=f"CF{'f' * 32}") is None


# --- Errors, and a network that fails -------------------------------------------------------------------------------


def test_a_refusal_in_twilios_newer_shape_is_one_too(double, price):
    problem = {"type": "https://www.twilio.com/docs/errors/20001", "title": "Invalid", "status": 400, "code": 20001}
    double.fail_next(Answer(400, problem))
    with pytest.raises(TelephonyRefused):
        price()


@pytest.mark.parametrize(("status", "code"), [(401, 20003), (403, 20403), (429, 20429), (500, 20500), (503, 20503)])
def test_what_is_not_the_callers_fault_is_unavailable(double, price, status, code):
    double.fail_next(error(status, code, "Not now"))
    with pytest.raises(TelephonyUnavailable):
        price()


@pytest.mark.parametrize("status", [200, 502])
def test_a_page_instead_of_an_answer_is_unavailable(double, price, status):
    double.fail_next(Answer(status, "<html>Sign in to the network</html>"))
    with pytest.raises(TelephonyUnavailable):
        price()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("core.twilio_client.TIMEOUT", 0.1)


CALLS = {
    "end_conference": {"sid": f"CF{'0' * 31}1"},
    "end_call": {"call_sid": f"CA{'0' * 31}1"},
    "conference": {"sid": f"CF{'0' * 31}1"},
    "call": {"sid": f"CA{'0' * 31}1"},
}


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("call", CALLS)
def test_a_failing_twilio_is_unavailable(phone, double, impatient, call, fault):
    double.call()
    double.fail_next(fault)
    with pytest.raises(TelephonyUnavailable):
        getattr(phone, call)(**CALLS[call])


@pytest.mark.parametrize("call", CALLS)
def test_past_the_deadline_nothing_is_sent(phone, double, past_deadline, call):
    with pytest.raises(TelephonyUnavailable):
        getattr(phone, call)(**CALLS[call])
    assert double.requests == []


def test_a_call_takes_no_longer_than_the_deadline(double, price, short_deadline):
    double.fail_next(Fault.HANG)
    with pytest.raises(TelephonyUnavailable):
        price()


def test_nobody_listening_is_unavailable(double, price):
    double.server.shutdown()
    double.server.server_close()
    with pytest.raises(TelephonyUnavailable):
        price()


def test_a_wrong_auth_token_is_unavailable(phone, double, settings):
    options = {**settings.TELEPHONY["OPTIONS"], "auth_token": "another"}
    settings.TELEPHONY = {**settings.TELEPHONY, "OPTIONS": options}
    with pytest.raises(TelephonyUnavailable):
        telephony().call(sid=double.call())
