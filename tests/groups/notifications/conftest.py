import ssl

import pytest

from bench.pgbouncer.certificate import write_certificate
from groups.models import Device
from groups.notifications.channels import ChannelUnavailable


@pytest.fixture
def device(request, db):
    """Somebody's phone, of the module's KIND."""
    kind = request.module.KIND
    return Device.objects.create(identity="u_1", address="device-1", binding_type=kind, endpoint="e", sid="BS1")


@pytest.fixture
def self_signed(tmp_path):
    """What a double speaks TLS by, with a certificate that vouches for itself: it lies in `tmp_path`."""
    write_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    return context


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
