"""Calls without a way to reach a device: Twilio Notify is not configured, and cannot be for a new account."""

from datetime import timedelta

import pytest
from django.utils import timezone

from groups.models import Device
from groups.notifications.devices import forget_gone_devices
from tests.neighbours import ours
from voice.conferences.events import receive_conference_event
from voice.models import Conference


@pytest.fixture(autouse=True)
def _off(settings, twilio_telephony):
    settings.NOTIFICATIONS = []


@pytest.mark.parametrize(
    ("path", "body"), [("registerBinding", {"identity": "u_1", "address": "a"}), ("sendNotification", {"groupId": 1})]
)
def test_its_doors_name_the_variables_that_are_missing(api, group, path, body):
    answer = api.post(f"/api/voice/{path}", {**body, **({"groupId": group.pk} if "groupId" in body else {})})
    assert (answer.status_code, answer.json()["code"]) == (503, "not_configured")
    assert all(name in answer.json()["detail"] for name in ("APNS_KEY", "FCM_CREDENTIALS", "VAPID", "SERVICE_SID"))


def test_a_call_begins_and_nothing_is_complained_of(group, run_jobs, caplog):
    conference = {"ConferenceSid": "CF1", "FriendlyName": str(group.pk), "SequenceNumber": "1", "CallSid": "CA1"}
    receive_conference_event({**conference, "StatusCallbackEvent": "participant-join"}, now=timezone.now())
    assert run_jobs() == ["announce", "conclude"]
    assert ours(Conference).get().notified_at
    assert "NotConfigured" not in caplog.text


def test_no_device_is_asked_about(db, caplog):
    Device.objects.create(identity="u_1", address="a", binding_type="apn", endpoint="e", sid="BS1")
    assert forget_gone_devices(now=timezone.now() + timedelta(days=8)) == 0
    assert ours(Device).exists()
    assert caplog.text == ""
