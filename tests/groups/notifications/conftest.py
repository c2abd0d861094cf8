import pytest

from groups.notifications.channels import ChannelUnavailable


@pytest.fixture
def notify_unavailable():
    def notify_unavailable(channel, device):
        with pytest.raises(ChannelUnavailable):
            channel.send(devices=[device], body="Hello", group_id=7)

    return notify_unavailable
