from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from core.jobs.models import Job
from groups.models import Device, Membership, SandboxNotification
from groups.notifications import devices
from groups.notifications.devices import forget, forget_gone_devices
from tests.doubles.server import Fault
from tests.neighbours import ours

BINDING = ["sid", "endpoint", "identity", "address", "bindingType", "tags", "message"]


@pytest.fixture
def register(api):
    def register(path="registerBinding", **fields):
        return api.post(f"/api/voice/{path}", fields)

    return register


@pytest.fixture
def notify(api):
    return lambda **fields: api.post("/api/voice/sendNotification", fields).json()


@pytest.mark.parametrize("path", ["registerBinding", "register-binding"])
def test_a_device_is_registered(register, group, path):
    answer = register(path, identity="u_1", Address="token", BindingType="fcm", tags=[group.pk])
    assert answer.status_code == 201
    assert list(answer.json()) == BINDING
    assert (answer.json()["bindingType"], answer.json()["tags"]) == ("fcm", [str(group.pk)])


def test_what_is_left_out_has_its_default(register, db):
    binding = register(identity="u_1", address="token").json()
    assert (binding["bindingType"], binding["tags"]) == ("apn", [])
    assert binding["endpoint"]


@pytest.mark.parametrize("spelled", ["{0}", "{0},{0}", " {0} , 999", ["{0}"], ["{0}", 999]])
def test_tags_are_a_string_or_a_list_and_unknown_groups_are_left_out(register, group, spelled):
    several = isinstance(spelled, list)
    tags = [str(tag).format(group.pk) for tag in spelled] if several else spelled.format(group.pk)
    assert register(identity="5", address="token", tags=tags).json()["tags"] == [str(group.pk)]


def test_a_form_may_name_a_tag_twice(api, group):
    body = f"identity=5&Address=token&tags={group.pk}&tags=999"
    answer = api.generic("POST", "/api/voice/registerBinding", body, content_type="application/x-www-form-urlencoded")
    assert answer.json()["tags"] == [str(group.pk)]


@pytest.mark.parametrize(
    "change",
    [
        {"identity": None},
        {"identity": " "},
        {"identity": "x" * 129},
        {"address": None},
        {"address": "x" * 513},
        {"BindingType": "sms"},
        {"tags": "family"},
        {"tags": list(range(1, 22))},
        {"tags": {"a": 1}},
        {"endpoint": "x" * 129},
        {"address": "a\x00"},
    ],
)
def test_bad_input_is_refused(register, db, change):
    assert register(**{"identity": "u_1", "address": "token", **change}).status_code == 400
    assert not ours(Device).exists()


def test_an_address_belongs_to_whoever_registered_it_last(register, alice, bob):
    register(identity=f"u_{alice.pk}", address="token")
    register(identity=f"u_{bob.pk}", address="token")
    assert ours(Device).get().user == bob


def test_a_groups_devices_are_told(register, notify, group, alice, bob, dave):
    for user in (alice, bob, dave):
        register(identity=f"u_{user.pk}", address=f"of {user.pk}")
    sent = notify(FriendlyName=str(group.pk))
    assert (sent["groupId"], sent["recipients"]) == (group.pk, 2)
    assert SandboxNotification.objects.get().identities == [f"u_{alice.pk}", f"u_{bob.pk}"]
    assert SandboxNotification.objects.get().body == "A group chat has started."


def test_nameless_devices_are_reached_by_the_groups_tag(register, notify, group):
    register(identity=str(group.pk), address="nameless", tags=str(group.pk))
    register(identity="6", address="elsewhere")
    assert notify(groupId=group.pk)["recipients"] == 1


def test_a_person_who_left_is_not_told_whatever_their_tags_say(register, notify, group, bob):
    register(identity=f"u_{bob.pk}", address="token", tags=[group.pk])
    assert notify(groupId=group.pk)["recipients"] == 1
    Membership.objects.filter(user=bob).delete()
    assert notify(groupId=group.pk)["recipients"] == 0


def test_with_nobody_to_tell_nothing_is_sent(notify, group):
    assert notify(groupId=group.pk) == {"sid": None, "groupId": group.pk, "recipients": 0}


def test_a_message_can_be_given(register, notify, group, bob):
    register(identity=f"u_{bob.pk}", address="token")
    notify(groupId=str(group.pk), message="Dinner is ready 🍲")
    assert SandboxNotification.objects.get().body == "Dinner is ready 🍲"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"groupId": "abc"}, 400),
        ({"FriendlyName": None}, 400),
        ({"groupId": 999}, 404),
        ({"groupId": 999, "message": " "}, 400),
        ({"groupId": 999, "message": "x" * 501}, 400),
    ],
)
def test_a_bad_notification_is_refused(api, group, fields, status):
    assert api.post("/api/voice/send-notification", fields).status_code == status


@pytest.fixture
def phone_of(register, twilio_telephony):
    """Registers a phone at Twilio; the binding there."""
    return lambda user, address="token": register(identity=f"u_{user.pk}", address=address).json()["sid"]


def test_a_phone_that_changes_hands_is_unbound_from_its_former_person(phone_of, twilio_double, run_jobs, alice, bob):
    phone_of(alice)
    now = phone_of(bob)
    assert run_jobs() == ["tell_vendor"]
    assert [binding["sid"] for binding in twilio_double.bindings] == [now]


def test_a_twilio_that_fails_is_told_again_to_unbind_it(phone_of, twilio_double, run_jobs, alice, bob):
    phone_of(alice)
    now = phone_of(bob)
    twilio_double.fail_next(Fault.SERVER_ERROR)
    run_jobs(failing=True)
    Job.objects.update(due_at=timezone.now())
    assert run_jobs() == ["tell_vendor"]
    assert [binding["sid"] for binding in twilio_double.bindings] == [now]


def test_a_phone_that_twilio_has_dropped_is_forgotten(phone_of, twilio_double, alice, bob):
    phone_of(alice, "gone"), phone_of(bob, "kept")
    twilio_double.bindings.pop(0)
    assert forget_gone_devices(now=timezone.now() + timedelta(days=8)) == 1
    assert ours(Device).get().address == "kept"


def test_a_phone_that_is_registered_anew_while_twilio_is_asked_is_kept(phone_of, alice):
    phone_of(alice)
    as_it_was = ours(Device).get()
    ours(Device).update(sid="BSnew")
    assert (forget(as_it_was), ours(Device).get().sid) == (0, "BSnew")


def test_of_many_those_not_asked_about_for_longest_are_asked_about_first(
    phone_of, twilio_double, alice, bob, monkeypatch
):
    phone_of(alice, "lately"), phone_of(bob, "long ago")
    Device.objects.filter(address="long ago").update(checked_at=timezone.now() - timedelta(days=9))
    monkeypatch.setattr(devices, "MOST_AT_ONCE", 1)
    twilio_double.bindings.clear()
    forget_gone_devices(now=timezone.now() + timedelta(days=8))
    assert ours(Device).get().address == "lately"


def test_a_phone_is_asked_about_once_a_week(phone_of, twilio_double, alice):
    phone_of(alice)
    asked = len(twilio_double.requests)
    forget_gone_devices(now=timezone.now() + timedelta(days=6))
    assert len(twilio_double.requests) == asked


def test_a_twilio_that_does_not_answer_makes_nobody_forgotten(phone_of, twilio_double, alice):
    phone_of(alice)
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 3)
    assert forget_gone_devices(now=timezone.now() + timedelta(days=8)) == 0
    assert ours(Device).exists()


def test_a_disabled_account_is_told_nothing_and_registers_nothing(register, notify, group, bob):
    register(identity=f"u_{bob.pk}", address="token", tags=[group.pk])
    assert notify(groupId=group.pk)["recipients"] == 1
    bob.is_active = False
    bob.save()
    assert notify(groupId=group.pk)["recipients"] == 0
    answer = register(identity=f"u_{bob.pk}", address="another", tags=[group.pk])
    assert (answer.status_code, answer.json()["code"]) == (403, "account_disabled")
    assert ours(Device).count() == 1


def test_a_device_that_is_registered_again_keeps_its_endpoint(register, db):
    first = register(identity="u_1", Address="token").json()["endpoint"]
    assert register(identity="u_1", Address="token", BindingType="fcm").json()["endpoint"] == first
    assert register(identity="u_1", Address="token", endpoint="mine").json()["endpoint"] == "mine"
    assert register(identity="u_1", Address="token", endpoint=None).json()["endpoint"] == "mine"


@pytest.mark.parametrize(
    "named", [{"endpoint": "mine"}, {"Address": "token"}, {"address": "token", "endpoint": "mine"}]
)
@pytest.mark.parametrize("where", ["body", "query"])
def test_a_device_is_forgotten_by_its_endpoint_or_its_address(api, phone_of, twilio_double, alice, named, where):
    phone_of(alice, "token"), phone_of(alice, "another")
    Device.objects.filter(address="token").update(endpoint="mine")
    path = "/api/voice/registerBinding"
    answer = api.delete(path, named) if where == "body" else api.delete(f"{path}?{urlencode(named)}")
    assert (answer.status_code, answer.json()) == (200, {"count": "1 device forgotten"})
    assert [device.address for device in ours(Device).all()] == ["another"]
    assert api.delete(path, named).json() == {"count": "0 devices forgotten"}


def test_a_forgotten_device_is_unbound_at_twilio(api, phone_of, twilio_double, alice, run_jobs):
    phone_of(alice, "token")
    api.delete("/api/voice/registerBinding", {"Address": "token"})
    assert run_jobs() == ["tell_vendor"]
    assert twilio_double.bindings == []


def test_of_two_names_both_must_be_the_devices(api, register, db):
    register(identity="u_1", Address="token", endpoint="mine")
    answer = api.delete("/api/voice/registerBinding", {"Address": "token", "endpoint": "another"})
    assert (answer.json(), ours(Device).count()) == ({"count": "0 devices forgotten"}, 1)


@pytest.mark.parametrize(
    "named", [{}, {"endpoint": " "}, {"Address": ""}, {"endpoint": "x" * 129}, {"Address": "x" * 2049}]
)
def test_without_a_name_no_device_is_forgotten(api, register, db, named):
    register(identity="u_1", Address="token", endpoint="mine")
    assert (api.delete("/api/voice/registerBinding", named).status_code, ours(Device).count()) == (400, 1)


def test_whoever_has_the_device_next_has_an_endpoint_of_their_own(register, db):
    first = register(identity="u_1", Address="token").json()["endpoint"]
    assert register(identity="u_2", Address="token").json()["endpoint"] != first


def test_who_wants_no_pushes_gets_none(register, notify, api, group, alice, bob):
    for person in (alice, bob):
        register(identity=f"u_{person.pk}", address=f"phone of {person.pk}")
    api.put(f"/api/users/{bob.pk}/notifications", {"push": False})
    assert notify(groupId=group.pk)["recipients"] == 1
    api.put(f"/api/users/{alice.pk}/notifications", {"email": False})
    assert notify(groupId=group.pk)["recipients"] == 1
    api.put(f"/api/users/{bob.pk}/notifications", {"push": True})
    assert notify(groupId=group.pk)["recipients"] == 2
