"""Several channels: one that fails leaves the others alone."""

import pytest

from groups.models import SandboxNotification
from groups.notifications.channels import ChannelRefused
from groups.notifications.sandbox_notify import SandboxNotify
from tests.doubles.push_service import Browser
from tests.doubles.server import Fault

PATH = "/api/voice/sendNotification"


@pytest.fixture
def two_channels(settings, twilio_telephony, api, alice):
    """Twilio, and for browsers the sandbox, which never fails."""
    sandbox = {"BACKEND": "groups.notifications.sandbox_notify.SandboxNotify", "OPTIONS": {}}
    settings.NOTIFICATIONS = [*settings.NOTIFICATIONS, sandbox]
    for kind, address in (("apn", "of Alice"), ("webpush", Browser().address())):
        api.post("/api/voice/registerBinding", {"identity": f"u_{alice.pk}", "address": address, "BindingType": kind})


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.DROP])
def test_a_channel_that_fails_silences_no_other(api, group, two_channels, twilio_double, fault):
    twilio_double.fail_next(*[fault] * 2)
    assert api.post(PATH, {"groupId": group.pk}).status_code == 200
    assert SandboxNotification.objects.count() == 1


def test_where_several_fail_the_first_says_why(api, group, two_channels, twilio_double, monkeypatch):
    """A client tries again what Twilio could not do."""

    def refuse(*args, **kwargs):
        raise ChannelRefused

    monkeypatch.setattr(SandboxNotify, "send", refuse)
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 2)
    assert api.post(PATH, {"groupId": group.pk}).status_code == 503


def test_where_all_fail_it_is_told(api, group, two_channels, settings, twilio_double):
    settings.NOTIFICATIONS = settings.NOTIFICATIONS[:1]
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 2)
    assert api.post(PATH, {"groupId": group.pk}).status_code == 503
