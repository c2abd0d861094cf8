"""What only the real adapter meets: Twilio's limits, its errors, and a network that fails."""

import pytest

from tests.doubles.server import Answer, Fault
from tests.doubles.twilio import error
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


# --- Conferences ----------------------------------------------------------------------------------------------------


def test_waiting_and_running_conferences_of_the_group_are_ended(phone, double):
    for status in ("init", "in-progress"):
        double.start_conference("7", status)
    phone.end_conference(group_id=7)
    assert double.running_conferences() == []


def test_conferences_of_other_groups_go_on(phone, double):
    other = double.start_conference("77")
    phone.end_conference(group_id=7)
    assert double.running_conferences() == [other]


def test_a_conference_that_has_ended_is_left_alone(phone, double):
    double.start_conference("7", "completed")
    phone.end_conference(group_id=7)
    assert not double.sent("POST", ".*")


def test_more_conferences_than_a_page_holds_are_ended(phone, double):
    for _ in range(5):
        double.start_conference("7")
    phone.end_conference(group_id=7)
    assert double.running_conferences() == []


# --- Prices ---------------------------------------------------------------------------------------------------------


def test_a_price_is_not_known_at_first(price):
    assert price() is None


@pytest.mark.parametrize(
    ("text", "micros"),
    [("-0.0085", -8500), ("-0.01570", -15700), ("-1.23456", -1_234_560), ("0", 0), ("-0.0000001", 0)],
)
def test_a_price_comes_in_whole_micro_dollars(phone, double, text, micros):
    assert phone.call(sid=double.call(price=text)).price_micros == micros


def test_a_call_that_twilio_does_not_know_is_over(phone):
    assert phone.call(sid=f"CA{'f' * 32}").ended


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


@pytest.mark.parametrize("known", [True, False])
def test_a_conference_that_has_ended_or_never_was_is_completed(phone, double, known):
    sid = double.start_conference("7", status="completed")["sid"] if known else f"CF{'f' * 32}"
    assert phone.conference(sid=sid).completed


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
    "end_conference": {"group_id": 7},
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
