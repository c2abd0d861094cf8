"""Whatever becomes of one device, another one is left as it is: of the same person, and of somebody else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from groups.models import Device, Membership, SandboxNotification
from groups.notifications import devices
from groups.notifications.devices import forget, forget_gone_devices
from tests.doubles.push_service import Browser
from tests.doubles.server import Fault
from tests.neighbours import ours
from users.sign_in.local_issuer import local_token

PATH = "/api/voice/registerBinding"
pytestmark = pytest.mark.django_db


@pytest.fixture
def register(api):
    def register(identity, address, **fields):
        answer = api.post(PATH, {"identity": str(identity), "Address": address, **fields})
        assert answer.status_code == 201
        return answer.json()

    return register


def addresses():
    return set(ours(Device).values_list("address", flat=True))


def test_each_device_of_a_person_has_an_endpoint_of_its_own(register):
    assert register("u_1", "phone")["endpoint"] != register("u_1", "tablet")["endpoint"]


def test_somebody_elses_devices_make_no_room(register, monkeypatch, alice, bob):
    monkeypatch.setattr(devices, "MOST_DEVICES", 1)
    register(f"u_{bob.pk}", "of Bob")
    for address in ("first", "second"):
        register(f"u_{alice.pk}", address)
    assert addresses() == {"of Bob", "second"}


def test_who_registered_before_they_were_anybody_forgets_their_own_and_nobody_elses(api, sign_in, alice, bob):
    for user in (alice, bob):
        Device.objects.create(identity=f"u_{user.pk}", address=f"of {user.pk}", binding_type="apn", endpoint="e")
    headers = {"Authorization": f"Bearer {local_token(alice.email)}"}
    answer = api.delete(PATH, {"endpoint": "e"}, headers=headers)
    assert (answer.json(), addresses()) == ({"count": "1 device forgotten"}, {f"of {bob.pk}"})


def test_a_kind_of_device_is_the_first_channels_that_serves_it(
    api, register, settings, twilio_telephony, group, alice, bob
):
    sandbox = {"BACKEND": "groups.notifications.sandbox_notify.SandboxNotify", "OPTIONS": {}}
    settings.NOTIFICATIONS = [*settings.NOTIFICATIONS, sandbox]
    register(f"u_{alice.pk}", "of Alice", BindingType="apn")
    register(f"u_{bob.pk}", Browser().address(), BindingType="webpush")
    assert api.post("/api/voice/sendNotification", {"groupId": group.pk}).json()["recipients"] == 2
    assert SandboxNotification.objects.get().identities == [f"u_{bob.pk}"]


class TestAskedAbout:
    """Twilio is asked whether it still has a binding."""

    @pytest.fixture
    def asked(self, twilio_double):
        """At so many days from now, which bindings it is asked about."""

        def asked(days, minutes=0):
            before = len(twilio_double.requests)
            forget_gone_devices(now=timezone.now() + timedelta(days=days, minutes=minutes))
            return {request.path.rpartition("/")[2] for request in twilio_double.requests[before:]}

        return asked

    @pytest.fixture
    def sid(self, twilio_telephony, register, alice):
        return register(f"u_{alice.pk}", "token")["sid"]

    def test_one_that_is_there_is_asked_about_a_week_later(self, asked, sid):
        assert [asked(days) for days in (8, 14, 16)] == [{sid}, set(), {sid}]

    def test_one_of_which_nothing_is_heard_is_asked_about_in_an_hour(self, asked, sid, twilio_double):
        twilio_double.fail_next(*[Fault.SERVER_ERROR] * 2)
        assert asked(8) == {sid}
        twilio_double.faults.clear()
        assert [asked(8, minutes) for minutes in (58, 62)] == [set(), {sid}]

    def test_those_that_wait_for_longest_are_asked_about_first(self, asked, sid, register, monkeypatch, bob):
        later = register(f"u_{bob.pk}", "another")["sid"]
        Device.objects.filter(address="token").update(checked_at=timezone.now() + timedelta(hours=2))
        monkeypatch.setattr(devices, "MOST_AT_ONCE", 1)
        assert [asked(8), asked(8)] == [{later}, {sid}]

    def test_a_twilio_that_is_down_is_left_alone_after_three(self, asked, sid, register, twilio_double):
        for number in range(4):
            register("u_1", f"phone {number}")
        twilio_double.fail_next(*[Fault.SERVER_ERROR] * 20)
        assert len(asked(8)) == 3

    def test_one_that_is_registered_anew_meanwhile_is_kept(self, register, sid, alice):
        stale = ours(Device).get()
        assert register(f"u_{alice.pk}", "token")["sid"] != sid
        assert (forget(stale), addresses()) == (0, {"token"})


def test_who_left_a_group_while_they_registered_has_no_tag_of_it(register, group, bob, dave):
    Membership.objects.create(group=group, user=dave)
    assert register(f"u_{dave.pk}", "token", tags=[group.pk])["tags"] == [str(group.pk)]
    Membership.objects.filter(user=dave).delete()
    assert register(f"u_{dave.pk}", "token", tags=[group.pk])["tags"] == []
