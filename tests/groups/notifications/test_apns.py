"""What only Apple's push service meets."""

from datetime import timedelta

import pytest
from django.utils import timezone

from groups.models import Device
from groups.notifications import apns
from tests.doubles.apns import refusal

KIND = "apn"


def test_the_phone_shows_the_words_and_gathers_them_by_group(apns_channel, apns_double, device):
    apns_channel.send(devices=[device], body="Größe 👋", group_id=7)
    ((token, shown),) = apns_double.told
    assert (token, shown["groupId"]) == ("device-1", 7)
    assert shown["aps"] == {"alert": {"body": "Größe 👋"}, "sound": "default", "thread-id": "group-7"}
    assert apns_double.requests[0].headers["apns-collapse-id"] == "group-7"


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
    Device.objects.update(checked_at=timezone.now() - timedelta(hours=2))
    device.refresh_from_db()
    assert apns_channel.send(devices=[device], body="Hello", group_id=7).gone == [device]


@pytest.mark.parametrize("reason", ["BadDeviceToken", "DeviceTokenNotForTopic"])
def test_tokens_of_apples_other_environment_forget_nobody(apns_channel, apns_double, device, reason):
    apns_double.fail_next(refusal(400, reason))
    assert apns_channel.send(devices=[device], body="Hello", group_id=7).gone == []


def test_forty_phones_share_one_connection(apns_channel, apns_double, db):
    devices = [Device(address=f"device-{each}", binding_type="apn") for each in range(40)]
    apns_channel.send(devices=devices, body="Hello", group_id=7)
    assert len(apns_double.told) == 40
    assert apns_double.connections == 1


def test_a_voip_token_is_rung_now_or_never(apns_channel, apns_double, db):
    phone = Device(address="device-voip-1", binding_type="voip")
    apns_channel.send(devices=[phone], body="A call has started.", group_id=7)
    assert apns_double.told == [("device-voip-1", {"aps": {}, "body": "A call has started.", "groupId": 7})]
    headers = apns_double.requests[0].headers
    told = [headers.get(f"apns-{name}") for name in ("topic", "push-type", "priority", "expiration", "collapse-id")]
    assert told == ["com.example.family.voip", "voip", "10", "0", None]
