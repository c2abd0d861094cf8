"""What APNs, FCM and Web Push have in common: each device by itself, and a device that is no more is forgotten."""

import re
from contextlib import closing
from datetime import timedelta

import httpx2
import pytest
from django.utils import timezone
from pytest_httpserver import HTTPServer

from core.jobs.models import Job
from groups.models import Device
from groups.notifications.devices import forget_gone_devices
from groups.notifications.direct import Clients
from tests.doubles import apns, fcm
from tests.doubles.push_service import Browser
from tests.doubles.server import Answer, Fault
from tests.neighbours import ours

pytestmark = pytest.mark.django_db

DOUBLES = {"apns": "apns_double", "fcm": "fcm_double", "web_push": "push_service_double"}
WRONG = {"apns": apns.refusal(403, "InvalidProviderToken"), "fcm": fcm.error(401, "THIRD_PARTY_AUTH_ERROR")}


class Vendor:
    """One of the three: its double, and phones and browsers of its kind."""

    def __init__(self, name, double, channel):
        self.name, self.double, self.channel = name, double, channel
        self.kind = {"apns": "apn", "fcm": "fcm", "web_push": "webpush"}[name]

    def address(self, number):
        return Browser(f"/send/{number}").address() if self.name == "web_push" else f"device-{number}"

    def told(self):
        """The numbers of those that were told, each as often as it was."""
        if self.name == "web_push":
            return sorted(each.path.removeprefix("/send/") for each in self.double.told)
        return sorted(token.removeprefix("device-") for token, _ in self.double.told)

    def lose(self, number):
        """Has a device be no more, since a second from now: after it was registered."""
        if self.name == "apns":
            self.double.gone[f"device-{number}"] = (timezone.now() + timedelta(seconds=1)).timestamp() * 1000
        else:
            self.double.gone.add(f"/send/{number}" if self.name == "web_push" else f"device-{number}")


@pytest.fixture(params=DOUBLES)
def vendor(request):
    channel = request.getfixturevalue(f"{request.param}_channel")
    double = request.getfixturevalue(DOUBLES[request.param])
    channel.prepare(timeout=5)
    double.requests.clear()
    return Vendor(request.param, double, channel)


@pytest.fixture
def register(api, vendor, alice):
    def register(*numbers):
        for number in numbers:
            body = {"identity": f"u_{alice.pk}", "Address": vendor.address(number), "BindingType": vendor.kind}
            assert api.post("/api/voice/registerBinding", body).status_code == 201

    return register


@pytest.fixture
def notify(api, group, alice):
    return lambda: api.post("/api/voice/sendNotification", {"groupId": group.pk})


def test_each_device_is_told_once(register, notify, vendor):
    register(*range(1, 10))
    answer = notify().json()
    assert (answer["recipients"], answer["sid"][:2]) == (9, "NT")
    assert vendor.told() == [str(number) for number in range(1, 10)]


def test_registering_asks_no_vendor(register, vendor):
    register(1)
    assert vendor.double.requests == []


def test_a_device_that_is_no_more_is_forgotten_and_the_others_are_told(register, notify, vendor):
    register(1, 2, 3)
    vendor.lose(2)
    assert notify().json()["recipients"] == 3
    assert vendor.told() == ["1", "3"]
    assert notify().json()["recipients"] == 2
    assert ours(Device).count() == 2


@pytest.mark.parametrize("fault", Fault)
def test_one_that_could_not_be_told_is_kept_and_the_others_are_told(register, notify, vendor, monkeypatch, fault):
    register(1)
    notify()
    register(2, 3)
    vendor.double.told.clear()
    monkeypatch.setattr("groups.notifications.direct.AT_ONCE", 1)
    monkeypatch.setattr("groups.notifications.direct.TIMEOUT", 0.3)
    vendor.double.fail_next(fault)
    assert notify().json()["recipients"] == 3
    assert set(vendor.told()) >= {"2", "3"} or set(vendor.told()) >= {"1", "2"}
    assert ours(Device).count() == 3


def test_who_could_not_be_told_at_once_is_told_of_each_message_later(register, notify, vendor, run_jobs, monkeypatch):
    monkeypatch.setattr("groups.notifications.direct.AT_ONCE", 1)
    register(1, 2)
    for _ in range(2):
        vendor.double.fail_next(Fault.SERVER_ERROR)
        assert notify().status_code == 200
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        run_jobs()
    assert vendor.told() == ["1", "1", "2", "2"]


def test_whose_turn_comes_after_the_deadline_is_told_later(register, vendor, monkeypatch):
    register(1, 2)
    left = iter([1.0])

    def time_left(most):
        if seconds := next(left, None):
            return seconds
        raise TimeoutError

    monkeypatch.setattr("groups.notifications.direct.time_left", time_left)
    sent = vendor.channel.send(devices=list(ours(Device)), body="Hello", group_id=None)
    assert (len(sent.missed), sent.refused) == (2, [])


def test_where_none_could_be_told_it_is_said_and_nobody_is_forgotten(register, notify, vendor):
    register(1, 2)
    vendor.double.fail_next(*[Fault.SERVER_ERROR] * 9)
    answer = notify()
    assert (answer.status_code, answer.json()["code"]) == (503, "telephony_unavailable")
    assert ours(Device).count() == 2
    vendor.double.faults.clear()
    assert notify().status_code == 200
    assert vendor.told() == ["1", "2"]


@pytest.mark.parametrize(
    "answer", [Answer(400, {}), Answer(301, {}, {"location": "http://127.0.0.1:1/"}), Answer(403, "x")]
)
def test_what_a_vendor_refuses_forgets_nobody(register, notify, vendor, answer):
    register(1)
    vendor.double.fail_next(answer)
    assert notify().status_code == 200
    assert ours(Device).count() == 1
    assert vendor.told() == []


def test_where_the_operators_key_is_wrong_nobody_is_forgotten(register, notify, vendor):
    register(1)
    vendor.double.fail_next(WRONG.get(vendor.name, Answer(401, {})))
    assert notify().status_code == 503
    assert ours(Device).count() == 1


def test_past_the_deadline_nothing_is_sent(register, notify, vendor, past_deadline):
    register(1)
    assert notify().status_code == 503
    assert vendor.told() == []


def test_no_vendor_is_asked_about_devices_from_time_to_time(register, vendor):
    register(1)
    before = ours(Device).get().checked_at
    assert forget_gone_devices(now=timezone.now() + timedelta(days=8)) == 0
    assert (vendor.double.requests, ours(Device).get().checked_at) == ([], before)


def test_another_kind_of_device_is_not_reached_here(api, vendor, alice):
    other = "fcm" if vendor.kind == "apn" else "apn"
    answer = api.post(
        "/api/voice/registerBinding", {"identity": f"u_{alice.pk}", "Address": "device-1", "BindingType": other}
    )
    assert (answer.status_code, answer.json()["code"]) == (503, "not_configured")
    assert other in answer.json()["detail"]


def test_no_line_of_the_log_names_a_device(register, notify, vendor, log):
    register(1, 2)
    vendor.double.fail_next(Fault.SERVER_ERROR, Answer(400, {}))
    notify()
    said = " ".join(line["message"] for line in log.named("groups.notifications.direct"))
    assert sorted(re.findall(r" answered (\d)\d\d, ", said)) == ["4", "5"]
    assert [line for line in log.texts if "device-" in line or "/send/" in line or "p256dh" in line] == []


@pytest.mark.parametrize("http1", [True, False])
def test_a_server_for_whom_no_authority_vouches_is_told_nothing(self_signed, http1):
    with HTTPServer("127.0.0.1", 0, ssl_context=self_signed) as stranger, closing(Clients(http1=http1)) as clients:
        with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            clients.post(stranger.url_for("/3/device/1"))
        assert stranger.log == []
