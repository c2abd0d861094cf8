"""What only Apple's push service meets."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from groups.models import Device
from groups.notifications import apns
from tests.doubles.apns import refusal
from tests.neighbours import ours

KIND = "apn"


def test_the_phone_shows_the_words_and_gathers_them_by_group(apns_channel, apns_double, device):
    apns_channel.send(devices=[device], body="Größe 👋", group_id=7)
    ((token, shown),) = apns_double.told
    assert (token, shown["groupId"]) == ("device-1", 7)
    assert shown["aps"] == {"alert": {"body": "Größe 👋"}, "sound": "default", "thread-id": "group-7"}
    headers = apns_double.requests[0].headers
    assert headers["apns-collapse-id"] == "group-7"
    assert 3500 < int(headers["apns-expiration"]) - time.time() <= 3600  # for who is out of reach for a while


def test_the_longest_words_fit(apns_channel, apns_double, device):
    apns_channel.send(devices=[device], body="👋" * 500, group_id=2**63 - 1)
    assert len(apns_double.told) == 1


def test_the_provider_token_is_signed_once_and_again_before_apple_refuses_it(apns_channel, device, apns_double):
    for _ in range(3):
        apns_channel.send(devices=[device], body="Hello", group_id=7)
    assert len(apns_double.provider_tokens) == 1
    apns_channel.renewed -= apns.TOKEN_LIVES
    apns_channel.send(devices=[device], body="Hello", group_id=7)
    assert len(apns_double.provider_tokens) == 2


def test_a_phone_that_was_registered_again_since_is_kept(apns_channel, apns_double, device):
    apns_double.gone["device-1"] = (timezone.now() - timedelta(hours=1)).timestamp() * 1000
    assert apns_channel.send(devices=[device], body="Hello", group_id=7).gone == []
    ours(Device).update(checked_at=timezone.now() - timedelta(hours=2))
    device.refresh_from_db()
    assert apns_channel.send(devices=[device], body="Hello", group_id=7).gone == [device]


@pytest.mark.parametrize("address", ["../../x", "a b", "?a#b", "http://x/", "é", "\x01", "%2e%2e", "x" * 512])
def test_a_token_that_is_none_silences_no_other(apns_channel, apns_double, device, address):
    odd = Device.objects.create(identity="u_1", address=address, binding_type="apn", endpoint="e", sid="BS1")
    sent = apns_channel.send(devices=[odd, device], body="Hello", group_id=7)
    assert (sent.refused, [token for token, _ in apns_double.told]) == ([odd], ["device-1"])
    assert {request.path.rpartition("/")[0] for request in apns_double.requests} == {"/3/device"}


@pytest.mark.parametrize("reason", ["BadDeviceToken", "DeviceTokenNotForTopic"])
def test_tokens_of_apples_other_environment_forget_nobody(apns_channel, apns_double, device, reason):
    apns_double.fail_next(refusal(400, reason))
    assert apns_channel.send(devices=[device], body="Hello", group_id=7).gone == []


def test_a_hundred_phones_share_twenty_connections_and_those_are_kept(apns_channel, apns_double, db):
    """One for each thread: several threads on one would get each other's streams."""
    devices = [Device(address=f"device-{each}", binding_type="apn") for each in range(100)]
    for _ in range(3):
        assert apns_channel.send(devices=devices, body="Hello", group_id=7).missed == []
    assert len(apns_double.told) == 300
    assert apns_double.connections <= 20


def test_a_voip_token_is_rung_now_or_never(apns_channel, apns_double, db):
    phone = Device(address="device-voip-1", binding_type="voip")
    apns_channel.send(devices=[phone], body="A call has started.", group_id=7)
    assert apns_double.told == [("device-voip-1", {"aps": {}, "body": "A call has started.", "groupId": 7})]
    headers = apns_double.requests[0].headers
    told = [headers.get(f"apns-{name}") for name in ("topic", "push-type", "priority", "expiration", "collapse-id")]
    assert told == ["com.example.family.voip", "voip", "10", "0", None]
