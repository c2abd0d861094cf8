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
    def notify_unavailable(channel, device):
        with pytest.raises(ChannelUnavailable):
            channel.send(devices=[device], body="Hello", group_id=7)

    return notify_unavailable
