"""What both do that send text messages: Twilio, over HTTP, and the sandbox; and what Twilio alone meets."""

import pytest

from groups.notifications.models import SandboxMessage
from groups.notifications.sms.interface import OptedOut, TextRefused, TextUnavailable, texter
from groups.notifications.sms.lengths import MOST_SEGMENTS, segments
from tests.doubles.server import Answer, Fault
from tests.doubles.twilio import error
from tests.neighbours import ours

NUMBER = "+12025550123"


@pytest.fixture(params=["twilio_sms", "sandbox_sms"])
def sent(request, db, twilio_double):
    """Sends a text; what arrived, and where."""
    texts = request.getfixturevalue(request.param)

    def sent(text):
        texts.send(to=NUMBER, text=text)
        twilio = [(each["to"], each["body"]) for each in twilio_double.messages]
        return twilio or list(ours(SandboxMessage).values_list("to", "body"))

    return sent


@pytest.fixture
def send(twilio_sms):
    return lambda: twilio_sms.send(to=NUMBER, text="Hello.")


def test_a_message_is_sent_to_a_number(sent):
    assert sent("Größe 👋") == [(NUMBER, "Größe 👋")]


@pytest.mark.parametrize("letter", ["x", "👋"])
def test_one_that_is_too_long_is_cut(sent, letter):
    ((_, body),) = sent(letter * 3000)
    assert segments(body) == MOST_SEGMENTS


def test_it_goes_by_the_messaging_service(send, twilio_double):
    send()
    (request,) = twilio_double.requests
    assert request.get("MessagingServiceSid").startswith("MG")
    assert (request.get("From"), request.get("SmartEncoded"), request.get("ValidityPeriod")) == ("", "true", "14400")


def test_who_has_answered_stop_is_told_apart(send, twilio_double):
    twilio_double.stopped.add(NUMBER)
    with pytest.raises(OptedOut):
        send()


@pytest.mark.parametrize("code", [21211, 21214, 21217, 21265, 21612, 21614, 30003, 30004, 30005, 30006, 30007])
def test_a_number_that_takes_none_is_refused_for_good(send, twilio_double, code):
    twilio_double.fail_next(error(400, code, f"Of {NUMBER}"))
    with pytest.raises(TextRefused) as refused:
        send()
    assert not isinstance(refused.value, OptedOut)


def test_so_is_one_of_which_twilio_says_it_in_a_good_answer(send, twilio_double):
    message = {"sid": f"SM{'0' * 32}", "status": "failed", "error_code": 30006}
    twilio_double.fail_next(Answer(201, message))
    with pytest.raises(TextRefused):
        send()


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, 20429), (400, 21703), (400, 21408), (401, 20003), (404, 20404), (503, 20503), (400, 30001)],
)
def test_what_is_the_operators_to_mend_or_over_some_time_may_be_tried_again(send, twilio_double, status, code):
    twilio_double.fail_next(error(status, code, "No"))
    with pytest.raises(TextUnavailable):
        send()


@pytest.mark.parametrize("fault", Fault)
def test_a_failing_twilio_is_unavailable(send, twilio_double, monkeypatch, fault):
    monkeypatch.setattr("core.twilio_client.TIMEOUT", 0.1)
    twilio_double.fail_next(fault)
    with pytest.raises(TextUnavailable):
        send()


def test_past_the_deadline_nothing_is_sent(send, twilio_double, past_deadline):
    with pytest.raises(TextUnavailable):
        send()
    assert twilio_double.requests == []


def test_a_message_whose_answer_is_lost_is_not_sent_twice_by_itself(send, twilio_double):
    twilio_double.fail_next(Fault.LOSE_ANSWER)
    with pytest.raises(TextUnavailable):
        send()
    assert len(twilio_double.messages) == 1


def test_no_line_of_the_log_names_the_number(send, twilio_double, log):
    twilio_double.fail_next(error(400, 21614, f"'To' number {NUMBER} is not a valid mobile number"))
    with pytest.raises(TextRefused):
        send()
    assert log.named("groups.notifications.sms.twilio_sms")
    assert [line for line in log.texts if NUMBER[1:] in line or "Hello" in line] == []


def test_switched_off_it_names_the_variables(settings):
    settings.SMS = {}
    with pytest.raises(Exception, match=r"SMS=on and TWILIO_MESSAGING_SERVICE_SID"):
        texter()
