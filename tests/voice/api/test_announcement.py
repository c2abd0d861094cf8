"""What Twilio is told to speak into a call. No test here has a database: there is always an answer."""

from xml.etree import ElementTree

import pytest

PATH = "/api/voice/announcement"


def spoken(answer):
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
    return [(each.tag, each.text) for each in ElementTree.fromstring(answer.content)]  # our own


def test_it_is_spoken_twice_and_slowly_and_the_call_goes_on(twilio):
    said = spoken(twilio(f"{PATH}?say=alone", CallSid="CA1"))
    assert [tag for tag, _ in said] == ["Say", "Pause"] * 5 + ["Say"]
    assert said[0][1] == "You are alone on this call."
    assert said[0:5:2] == said[6:11:2]


@pytest.mark.parametrize("name", ["captionsOn", "captionsOff"])
def test_what_stands_in_the_way_of_a_conversation_is_spoken_once(twilio, name):
    said = [text for tag, text in spoken(twilio(f"{PATH}?say={name}")) if tag == "Say"]
    assert len(set(said)) == len(said) > 0


def test_whose_own_time_ends_does_not_hear_that_all_do(twilio):
    said = [text for tag, text in spoken(twilio(f"{PATH}?say=limit")) if tag == "Say"]
    assert "for you" in said[0]
    assert not any("everybody" in text or "for all" in text for text in said)


@pytest.mark.parametrize("name", ["alone", "limit", "money"])
def test_each_is_spoken_in_german_too(twilio, name):
    english, german = (spoken(twilio(f"{PATH}?say={name}&language={each}")) for each in ("en-US", "de-DE"))
    assert len(german) == len(english)
    assert german[0] != english[0]


@pytest.mark.parametrize("query", ["", "?say=", "?say=%3CHangup%2F%3E", "?say=alone2", "?x=alone", "?language=de-DE"])
def test_there_is_nothing_else_to_say(twilio, query):
    assert spoken(twilio(f"{PATH}{query}")) == []


def test_a_typed_message_that_cannot_be_read_is_silence(twilio):
    """The database does not answer here, and an error would be spoken into the call."""
    assert spoken(twilio(f"{PATH}?message=1")) == []


def test_what_was_changed_is_not_twilios(twilio, settings):
    assert twilio(f"{PATH}?say=alone", signature="c2lnbmVkIGJ5IG5vYm9keQ==").status_code == 403
