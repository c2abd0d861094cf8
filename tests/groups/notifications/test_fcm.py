"""What only Firebase Cloud Messaging meets."""

import pytest

from groups.models import Device
from tests.doubles.fcm import error
from tests.doubles.server import Answer, Fault

KIND = "fcm"


def test_the_phone_shows_the_words_and_knows_the_group(fcm_channel, fcm_double, device):
    fcm_channel.send(devices=[device], body="Größe 👋", group_id=7)
    ((token, message),) = fcm_double.told
    assert (token, message["notification"], message["data"]) == ("device-1", {"body": "Größe 👋"}, {"groupId": "7"})
    assert message["android"]["collapse_key"] == "group-7"


def test_a_phone_that_dozes_is_woken_and_is_told_nothing_of_long_ago(fcm_channel, fcm_double, device):
    fcm_channel.send(devices=[device], body="Hello", group_id=7)
    ((_, message),) = fcm_double.told
    assert (message["android"]["priority"], message["android"]["ttl"]) == ("HIGH", "3600s")


def test_one_access_token_serves_many_phones(fcm_channel, fcm_double, db):
    devices = [Device(address=f"device-{each}", binding_type="gcm") for each in range(30)]
    fcm_channel.send(devices=devices, body="Hello", group_id=7)
    assert (len(fcm_double.told), len(fcm_double.access_tokens)) == (30, 1)


@pytest.mark.parametrize(
    "fault", [Answer(400, {"error": "invalid_grant"}), Answer(200, {}), Answer(200, "<p>"), *Fault]
)
def test_a_google_that_gives_no_access_token_is_asked_once_and_unavailable(
    fcm_channel, fcm_double, notify_unavailable, monkeypatch, fault, device
):
    fcm_double.fail_next(fault)
    with monkeypatch.context() as hurry:
        hurry.setattr("groups.notifications.direct.TIMEOUT", 0.3)
        notify_unavailable(fcm_channel, device)
    assert (fcm_double.told, len(fcm_double.requests)) == ([], 1)
    assert fcm_channel.send(devices=[device], body="Hello", group_id=7).missed == []


def test_an_access_token_that_was_withdrawn_is_asked_for_anew(fcm_channel, fcm_double, device, notify_unavailable):
    fcm_channel.send(devices=[device], body="Hello", group_id=7)
    fcm_double.access_tokens[:] = ["withdrawn"]
    notify_unavailable(fcm_channel, device)
    fcm_channel.send(devices=[device], body="Hello", group_id=7)
    assert len(fcm_double.told) == 2


def test_a_project_that_is_misspelt_forgets_nobody(fcm_channel, fcm_double, device):
    fcm_channel.path = "/v1/projects/another/messages:send"
    assert fcm_channel.send(devices=[device], body="Hello", group_id=7).gone == []


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "SENDER_ID_MISMATCH"])
def test_a_refusal_forgets_nobody(fcm_channel, fcm_double, device, code):
    fcm_double.fail_next(Answer(200, {"access_token": "ya29.x", "expires_in": 3600}), error(400, code))
    assert fcm_channel.send(devices=[device], body="Hello", group_id=7).gone == []


@pytest.mark.parametrize("fault", [error(429, "QUOTA_EXCEEDED"), Fault.SERVER_ERROR])
def test_what_google_cannot_take_now_may_be_tried_again(fcm_channel, fcm_double, device, notify_unavailable, fault):
    fcm_channel.prepare(timeout=5)
    fcm_double.fail_next(fault)
    notify_unavailable(fcm_channel, device)
