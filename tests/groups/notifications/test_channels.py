"""What every channel does: the real adapter, over HTTP, and the sandbox."""

import pytest

from groups.models import Device


@pytest.fixture(params=["sandbox_notify", "twilio_notify"])
def channel(request, db):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("kind", ["apn", "fcm", "gcm"])
def test_a_device_is_registered(channel, kind):
    binding = channel.register_binding(
        identity="u_1", address="a" * 64, binding_type=kind, endpoint="u_1:phone", tags=["7", "8"]
    )
    assert binding.sid.startswith("BS")
    assert len(binding.sid) == 34
    assert binding.endpoint == "u_1:phone"


@pytest.mark.parametrize("how_many", [1, 20, 21, 45])
def test_any_number_of_people_is_told(channel, how_many):
    devices = [Device(identity=f"u_{each}") for each in range(how_many)]
    sent = channel.send(devices=devices, body="A chat has started.", group_id=7)
    assert sent.sid.startswith("NT")
    assert len(sent.sid) == 34
