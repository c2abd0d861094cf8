"""What each answer of a push service means for the device: told, no more, perhaps later, or never like this."""

import socket

import pytest

from groups.models import Device
from groups.notifications import web_push
from groups.notifications.subscriptions import Subscription
from tests.doubles import apns
from tests.doubles.push_service import VAPID_KEY, Browser
from tests.doubles.server import Answer

pytestmark = pytest.mark.django_db
KINDS = {"apns": "apn", "fcm": "fcm", "web_push": "webpush"}
GONE, REFUSED, MISSED = (1, 0, 0), (0, 1, 0), (0, 0, 1)
DOUBLES = {"apns": "apns_double", "fcm": "fcm_double", "web_push": "push_service_double"}


@pytest.fixture(params=KINDS)
def vendor(request):
    return request.param


@pytest.fixture
def answered(request, vendor):
    """How many are no more, refused and missed, of one device whose push service answers so."""
    channel, double = request.getfixturevalue(f"{vendor}_channel"), request.getfixturevalue(DOUBLES[vendor])
    channel.prepare(timeout=5)
    address = Browser().address() if vendor == "web_push" else "device-1"
    device = Device.objects.create(identity="u_1", address=address, binding_type=KINDS[vendor], endpoint="e", sid="B")

    def answered(answer):
        double.fail_next(answer)
        sent = channel.send(devices=[device], body="Hello", group_id=7)
        return len(sent.gone), len(sent.refused), len(sent.missed)

    return answered


@pytest.mark.parametrize("status", [401, 408, 425, 429, 500, 503, 599])
def test_what_may_go_well_later_is_missed_and_tried_again(answered, status):
    assert answered(Answer(status, {})) == MISSED


@pytest.mark.parametrize("status", [302, 400, 403, 409, 413, 422, 499])
def test_what_will_never_go_well_is_refused_and_forgets_nobody(answered, status):
    assert answered(Answer(status, {})) == REFUSED


class TestAPNs:
    @pytest.fixture
    def vendor(self):
        return "apns"

    @pytest.mark.parametrize(
        "reason",
        ["BadCertificateEnvironment", "ExpiredProviderToken", "InvalidProviderToken", "MissingProviderToken"],
    )
    def test_what_its_operator_can_mend_may_go_well_later(self, answered, reason):
        assert answered(apns.refusal(403, reason)) == MISSED

    @pytest.mark.parametrize("since", [{}, {"timestamp": "long ago"}, {"timestamp": None}])
    def test_a_device_that_is_no_more_since_nobody_knows_when_is_kept(self, answered, since):
        assert answered(apns.refusal(410, "Unregistered", **since)) == REFUSED

    @pytest.mark.parametrize("body", ["<p>", "[]", "null", '"x"'])
    def test_what_it_says_in_no_words_of_its_own_forgets_nobody(self, answered, body):
        assert answered(Answer(410, body)) == REFUSED


class TestFCM:
    @pytest.fixture
    def vendor(self):
        return "fcm"

    @pytest.mark.parametrize(
        "body",
        [
            {},
            [],
            {"error": {}},
            {"error": {"details": {}}},
            {"error": {"details": [{"@type": "another", "errorCode": "UNREGISTERED"}]}},
            {"error": {"status": "UNREGISTERED"}},
        ],
    )
    def test_a_device_is_no_more_where_its_own_word_says_so_alone(self, answered, body):
        assert answered(Answer(404, body)) == REFUSED

    @pytest.mark.parametrize(("seconds", "asked"), [(300, 2), (360, 1)])
    def test_an_access_token_is_asked_for_anew_five_minutes_early(self, fcm_channel, fcm_double, seconds, asked):
        fcm_double.fail_next(Answer(200, {"access_token": "short", "expires_in": seconds}))
        for _ in range(2):
            fcm_channel.prepare(timeout=5)
        assert len(fcm_double.requests) == asked


class TestWebPush:
    @pytest.fixture
    def vendor(self):
        return "web_push"

    @pytest.mark.parametrize("status", [404, 410])
    def test_a_subscription_that_is_no_more_is_forgotten(self, answered, status):
        assert answered(Answer(status, {})) == GONE

    @pytest.fixture
    def status(self, api, alice, web_push_channel):
        def status(subscription):
            body = {"identity": f"u_{alice.pk}", "Address": subscription, "BindingType": "webpush"}
            return api.post("/api/voice/registerBinding", body).status_code

        return status

    @pytest.mark.parametrize("length", [0, 15, 17])
    def test_its_secret_has_sixteen_bytes(self, status, length):
        assert status(Browser(auth=bytes(length)).address()) == 400

    @pytest.mark.parametrize("endpoint", ["https://push.example.com:443/send/a", "https://PUSH.example.com./send/a"])
    def test_the_port_may_be_named(self, status, endpoint):
        assert status(Browser().address(endpoint=endpoint)) == 201

    @pytest.mark.parametrize(
        "endpoint",
        ["https://localhost./send/a", "https://[fe80::1%25eth0.a]/send/a", "https:///send/a", "https://./send/a"],
    )
    def test_a_host_without_a_public_name_is_refused(self, status, endpoint):
        assert status(Browser().address(endpoint=endpoint)) == 400

    @pytest.mark.parametrize(
        "addresses",
        [["224.0.0.1"], ["ff0e::1"], ["93.184.216.34", "10.0.0.1"], ["10.0.0.1", "93.184.216.34"]],
    )
    def test_a_name_is_not_followed_where_any_of_its_addresses_leads_inside(self, leads_to, addresses):
        leads_to(*addresses)
        with pytest.raises(web_push.httpx2.ConnectError):
            web_push.public_address("push.example.com")

    def test_a_name_that_leads_nowhere_is_tried_again_later(self, monkeypatch):
        def nowhere(*args, **kwargs):
            raise socket.gaierror

        monkeypatch.setattr(socket, "getaddrinfo", nowhere)
        with pytest.raises(web_push.httpx2.ConnectError):
            web_push.public_address("push.example.com")

    def test_an_ipv6_address_is_asked_as_urls_write_it(self, leads_to):
        leads_to("2606:2800:220:1::1")
        channel = web_push.WebPush(vapid_private_key=VAPID_KEY, vapid_subject="mailto:o@example.com")
        to = Subscription("https://push.example.com/send/a", b"", b"")
        assert channel.target(to)[0] == "https://[2606:2800:220:1::1]/send/a"

    @pytest.fixture
    def leads_to(self, monkeypatch):
        def leads_to(*addresses):
            found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

        return leads_to
