"""What only Twilio Notify meets: its limits, its errors, and a network that fails."""

import pytest
from django.utils import timezone

from groups.models import Device
from groups.notifications.channels import ChannelRefused, ChannelUnavailable, channels
from groups.notifications.devices import CHECK_EVERY, forget_gone_devices
from tests.doubles.apns import CREDENTIALS
from tests.doubles.server import Fault
from tests.doubles.twilio import error

BINDING = {"identity": "u_1", "address": "a" * 64, "binding_type": "apn", "endpoint": "u_1:phone", "tags": ["7", "8"]}


@pytest.fixture
def channel(twilio_notify):
    return twilio_notify


@pytest.fixture
def double(twilio_double):
    return twilio_double


def phones_of(identities):
    return [Device(identity=each) for each in identities]


# --- Devices --------------------------------------------------------------------------------------------------------


def test_a_device_is_registered_with_its_groups(channel, double):
    binding = channel.register_binding(**BINDING)
    (kept,) = double.bindings
    assert (binding.sid, binding.endpoint) == (kept["sid"], "u_1:phone")
    assert {name: kept[name] for name in BINDING} == BINDING


def test_a_device_can_be_in_no_group(channel, double):
    channel.register_binding(**{**BINDING, "tags": []})
    assert double.bindings[0]["tags"] == []


def test_a_kind_of_device_that_twilio_does_not_know_is_refused(channel):
    with pytest.raises(ChannelRefused):
        channel.register_binding(**{**BINDING, "binding_type": "pager"})


# --- Notifications --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how_many", "calls"), [(1, [1]), (20, [20]), (21, [20, 1]), (45, [20, 20, 5])])
def test_people_are_told_in_groups_of_twenty(channel, double, how_many, calls):
    everybody = [f"u_{each:02}" for each in range(how_many)]
    channel.send(devices=phones_of(everybody), body="Größe 👋", group_id=7)
    assert [len(each["identities"]) for each in double.notifications] == calls
    assert sum((each["identities"] for each in double.notifications), []) == everybody  # noqa: RUF017  # three lists
    assert {each["body"] for each in double.notifications} == {"Größe 👋"}


def test_the_first_notifications_sid_is_answered(channel, double):
    sent = channel.send(devices=phones_of(f"u_{each}" for each in range(45)), body="Hello", group_id=7)
    assert sent.sid == double.notifications[0]["sid"]


def test_who_has_two_phones_is_named_once(channel, double):
    channel.send(devices=phones_of(["u_1", "u_2", "u_1", "u_2"]), body="Hello", group_id=7)
    assert double.notifications[0]["identities"] == ["u_1", "u_2"]


@pytest.mark.parametrize(
    ("fault", "fate"), [(error(400, 20001, "Invalid parameter"), "refused"), (Fault.SERVER_ERROR, "missed")]
)
def test_where_some_could_be_told_the_others_are_refused_or_missed(channel, double, fault, fate):
    everybody = phones_of(f"u_{each:02}" for each in range(21))
    double.fail_next(fault)
    sent = channel.send(devices=everybody, body="Hello", group_id=7)
    fates = {"refused": list(sent.refused), "missed": [device for device, _ in sent.missed]}
    assert fates == {"refused": [], "missed": [], fate: everybody[:20]}


@pytest.mark.parametrize("refused_at", [0, 1])
def test_where_nobody_could_be_told_and_some_may_be_later_it_is_tried_again(channel, double, refused_at):
    faults = [Fault.SERVER_ERROR, Fault.SERVER_ERROR]
    faults[refused_at] = error(400, 20001, "Invalid parameter")
    double.fail_next(*faults)
    with pytest.raises(ChannelUnavailable):
        channel.send(devices=phones_of(f"u_{each:02}" for each in range(21)), body="Hello", group_id=7)


# --- Errors, and a network that fails -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 404])
def test_what_twilio_does_not_accept_is_refused(channel, double, status):
    double.fail_next(error(status, 20001, "Invalid parameter"))
    with pytest.raises(ChannelRefused):
        channel.register_binding(**BINDING)


CALLS = {
    "register_binding": BINDING,
    "has_binding": {"sid": f"BS{'0' * 31}1"},
    "delete_binding": {"sid": f"BS{'0' * 31}1"},
    "send": {"devices": phones_of(["u_1"]), "body": "Hello", "group_id": 7},
}


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("call", CALLS)
def test_a_failing_twilio_is_unavailable(channel, double, monkeypatch, call, fault):
    monkeypatch.setattr("core.twilio_client.TIMEOUT", 0.1)
    double.fail_next(fault)
    with pytest.raises(ChannelUnavailable):
        getattr(channel, call)(**CALLS[call])


@pytest.mark.parametrize("call", CALLS)
def test_past_the_deadline_nothing_is_sent(channel, double, past_deadline, call):
    with pytest.raises(ChannelUnavailable):
        getattr(channel, call)(**CALLS[call])
    assert double.requests == []


def test_a_notification_is_not_sent_twice_when_its_answer_is_lost(channel, double):
    double.fail_next(Fault.LOSE_ANSWER)
    with pytest.raises(ChannelUnavailable):
        channel.send(devices=phones_of(["u_1"]), body="Hello", group_id=7)
    assert len(double.notifications) == 1


def test_a_wrong_auth_token_is_unavailable(channel, double, settings):
    (backend,) = settings.NOTIFICATIONS
    settings.NOTIFICATIONS = [{**backend, "OPTIONS": {**backend["OPTIONS"], "auth_token": "another"}}]
    with pytest.raises(ChannelUnavailable):
        channels()[0].register_binding(**BINDING)
    assert double.bindings == []


# --- Another channel takes the kind over ----------------------------------------------------------------------------


@pytest.fixture
def apple_takes_over(twilio_notify, apns_double, settings):
    """Both could reach a phone: the first one does."""

    def apple_takes_over():
        apple = {
            "BACKEND": "groups.notifications.apns.APNs",
            "OPTIONS": {**CREDENTIALS, "api_base": apns_double.url},
        }
        settings.NOTIFICATIONS = [apple, *settings.NOTIFICATIONS]

    return apple_takes_over


def test_a_phone_that_registers_with_apple_is_bound_at_twilio_no_more(apple_takes_over, double, api, alice, run_jobs):
    """Else Twilio would tell it, too, whenever it tells another phone of hers."""
    phone = {"identity": f"u_{alice.pk}", "Address": "device-1"}
    api.post("/api/voice/registerBinding", phone)
    assert len(double.bindings) == 1
    apple_takes_over()
    assert api.post("/api/voice/registerBinding", phone).status_code == 201
    run_jobs()
    assert double.bindings == []


def test_a_phone_that_apple_reaches_is_not_asked_about_at_twilio(apple_takes_over, double, alice):
    long_ago = timezone.now() - 2 * CHECK_EVERY
    device = Device.objects.create(
        user=alice, identity=f"u_{alice.pk}", address="device-1", binding_type="apn", sid="BS1", checked_at=long_ago
    )
    apple_takes_over()
    assert forget_gone_devices(now=timezone.now()) == 0
    device.refresh_from_db()
    assert (device.checked_at, double.requests) == (long_ago, [])
