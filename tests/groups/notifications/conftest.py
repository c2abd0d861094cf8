import pytest

from groups.models import Device
from groups.notifications.channels import ChannelUnavailable


@pytest.fixture
def device(request, db):
    """Somebody's phone, of the module's KIND."""
    kind = request.module.KIND
    return Device.objects.create(identity="u_1", address="device-1", binding_type=kind, endpoint="e", sid="BS1")


@pytest.fixture
def notify_unavailable():
    """The channel lets nobody in, or misses the device."""

    def notify_unavailable(channel, device):
        try:
            sent = channel.send(devices=[device], body="Hello", group_id=7)
        except ChannelUnavailable:
            return
        assert [missed.device for missed in sent.missed] == [device]

    return notify_unavailable
