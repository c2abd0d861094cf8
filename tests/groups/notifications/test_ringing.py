"""An iPhone that rings does so for a call, and for nothing else."""

import pytest

from groups.models import Device, Push
from groups.notifications.pushes import push
from tests.doubles import apns
from tests.neighbours import ours


@pytest.fixture
def register(api, apns_channel, alice):
    """Alice's phone registers a token; the binding."""

    def register(address, kind, endpoint="her phone"):
        body = {"identity": f"u_{alice.pk}", "Address": address, "BindingType": kind, "endpoint": endpoint}
        answer = api.post("/api/voice/registerBinding", body)
        assert answer.status_code == 201
        return answer.json()

    return register


@pytest.fixture
def phone(register):
    """With both of its tokens."""
    return [register("device-1", "apn"), register("device-voip-1", "voip")]


@pytest.fixture
def tell(group, run_jobs, apns_double):
    """Something is pushed to the group; which tokens have been told."""

    def tell(cause="call:CF1", *, is_call):
        push(Device.objects.of_group(group), cause=f"x{cause}", body="Hello.", group_id=group.pk, is_call=is_call)
        run_jobs()
        return [token for token, _ in apns_double.told]

    return tell


def test_both_tokens_of_a_phone_are_kept_in_the_same_shape(phone):
    assert [binding["bindingType"] for binding in phone] == ["apn", "voip"]
    assert phone[0].keys() == phone[1].keys()
    assert phone[0]["endpoint"] == phone[1]["endpoint"] == "her phone"


def test_for_a_call_it_rings_and_shows_nothing_beside(phone, tell):
    assert tell(is_call=True) == ["device-voip-1"]


def test_for_anything_else_it_does_not_ring(phone, tell, api, group, apns_double):
    assert tell(is_call=False) == ["device-1"]
    assert api.post("/api/voice/sendNotification", {"groupId": group.pk}).json()["recipients"] == 1
    assert [token for token, _ in apns_double.told] == ["device-1", "device-1"]


def test_anothers_phone_of_the_same_name_is_told_in_words(phone, api, bob, tell):
    body = {"identity": f"u_{bob.pk}", "Address": "device-3", "BindingType": "apn", "endpoint": "her phone"}
    assert api.post("/api/voice/registerBinding", body).status_code == 201
    assert sorted(tell(is_call=True)) == ["device-3", "device-voip-1"]


def test_another_phone_of_hers_is_told_in_words(phone, register, tell):
    register("device-2", "apn", endpoint="her tablet")
    assert sorted(tell(is_call=True)) == ["device-2", "device-voip-1"]


@pytest.mark.parametrize("refusal", [(400, "TopicDisallowed"), (400, "BadDeviceToken"), (410, "Unregistered")])
def test_where_apple_does_not_let_it_ring_it_is_told_in_words(phone, tell, apns_double, refusal):
    status, reason = refusal
    apns_double.fail_next(apns.refusal(status, reason, timestamp=2**53))
    assert tell(is_call=True) == ["device-1"]
    told = ours(Push).get()
    assert (told.devices, told.told, told.gone + told.missed, told.left) == (2, 1, 1, 0)
    assert Device.objects.filter(binding_type="voip").exists() == (status == 400)


def test_both_are_forgotten_by_their_endpoint(phone, api):
    answer = api.delete("/api/voice/registerBinding?endpoint=her phone")
    assert (answer.json(), ours(Device).count()) == ({"count": "2 devices forgotten"}, 0)


def test_twilio_notify_does_not_ring(api, alice, twilio_telephony):
    body = {"identity": f"u_{alice.pk}", "Address": "device-voip-1", "BindingType": "voip"}
    answer = api.post("/api/voice/registerBinding", body)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_configured")
