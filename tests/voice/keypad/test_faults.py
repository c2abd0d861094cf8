"""Every step of the menu, walked as Twilio does: it is a sentence and a way back, with the database down too."""

import pytest
from django.db import OperationalError, connection

from tests.voice.conftest import sign
from tests.voice.dial_in.phone import Phone

KEYPAD = "/api/voice/keypad"
SORRY = "Something went wrong on our side. You are going back."
KEYS = ("", "1", "2", "3", "5", "9", "*", "#")


@pytest.fixture
def down():
    """The database refuses everything."""

    def refuse(execute, sql, params, many, context):
        raise OperationalError("gone")

    return lambda: connection.execute_wrapper(refuse)


def steps(phone, depth):
    """Every address and key to which so many keys lead, from the menu on, with what was heard there."""
    if depth == 0 or phone.is_over:
        return
    here = phone.action if phone.gather is None else phone.gather.get("action")
    for key in KEYS if phone.gather is not None else ("",):
        digits = {"Digits": key.rstrip("#")} if key else {}
        yield here, digits
        onward = Phone(phone.post, "")
        onward.params = phone.params
        onward.ask(here, **digits)
        assert onward.heard
        yield from steps(onward, depth - 1)


def test_every_key_at_every_step_is_answered_by_a_sentence(alices, bobs):
    walked = list(steps(bobs, 4))
    assert len(walked) > 60


def test_with_the_database_down_every_step_is_a_sentence_and_a_way_back(alices, bobs, down, group):
    labels = set()
    for address, digits in list(steps(bobs, 3)):
        call = Phone(bobs.post, "")
        call.params = bobs.params
        with down():
            call.ask(address, **digits)
        assert (call.heard, call.group_id) == ([SORRY], group.pk)
        labels.add(call.conference.get("participantLabel"))
    assert bobs.conference.get("participantLabel") not in labels


@pytest.mark.parametrize("status", ["failed", "busy", "no-answer", "canceled"])
def test_who_could_not_be_let_in_is_not_dialled_in_again_and_again(bobs, down, status):
    with down():
        bobs.star(DialCallStatus=status)
    assert (bobs.heard, bobs.is_over) == (["Something went wrong on our side. Please call again in a minute."], True)


def test_who_went_back_by_our_fault_has_a_menu_again(alices, bobs, room, down, shown):
    with down():
        bobs.star()
    room.leave(bobs)
    room.join(bobs)
    assert shown() == (["Alice", "Bob"], True)
    assert bobs.star().press("2").heard == ["With you on the call:", "Alice."]


def test_who_was_muted_goes_back_muted_by_our_fault_too(alices, bobs, room, down):
    bobs.star()
    room.leave(bobs)
    room.join(bobs.press("1"))
    with down():
        bobs.star()
    assert (bobs.heard, bobs.conference.get("muted")) == ([SORRY], "true")


def test_with_the_database_down_a_call_that_is_over_is_over(bobs, down):
    with down():
        call = bobs.star(CallStatus="completed")
    assert call.heard == ["This call has ended. Please call again."]


def test_who_hangs_up_at_any_step_is_gone(alices, bobs, room, shown):
    bobs.star()
    room.leave(bobs)
    bobs.press("5").hang_up()
    assert shown() == (["Alice"], True)


@pytest.mark.parametrize("entry", ["", "x", "eyJ4IjoxfQ:1x:y", "é", "a" * 9000])
def test_an_entry_that_is_not_ours_is_no_way_in(twilio, db, entry, caplog):
    from urllib.parse import urlencode

    call = Phone(twilio, "+12025550123").ask(f"{KEYPAD}?{urlencode({'entry': entry})}", Digits="1")
    assert call.heard == ["This call has ended. Please call again."]
    assert "could not be answered" not in caplog.text  # it is no fault of ours


def test_another_call_does_not_come_in_by_it(twilio, bobs):
    stranger = Phone(twilio, "+12025550199")
    assert stranger.ask(bobs.action).heard == ["This call has ended. Please call again."]


@pytest.mark.parametrize("signature", ["", "x", "A" * 28])
def test_who_is_not_twilio_is_refused(twilio, db, signature):
    answer = twilio(KEYPAD, signature, From="+12025550123")
    assert (answer.status_code, answer.json()["code"]) == (403, "signature_invalid")


def test_an_address_that_was_tampered_with_is_not_signed(twilio, bobs):
    address = bobs.action.removeprefix("http://localhost:3300")
    assert twilio(f"{address}x", sign(address, {})).status_code == 403
