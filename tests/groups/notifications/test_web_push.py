"""Browsers: what they subscribe with, and what only they can read."""

import socket
from base64 import urlsafe_b64decode, urlsafe_b64encode
from io import StringIO

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import call_command

from core.p256 import key_of_number
from groups.models import Device
from groups.notifications import web_push
from groups.notifications.channels import channels
from groups.notifications.subscriptions import Subscription
from tests.doubles.push_service import Browser
from tests.neighbours import ours

pytestmark = pytest.mark.django_db
PATH = "/api/voice/registerBinding"


def leads_to(addresses, monkeypatch):
    """Every host's name, as far as this test goes; to several, with spaces between."""

    def found(*args, **kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in addresses.split()]

    monkeypatch.setattr(socket, "getaddrinfo", found)


def octets(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture
def register(api, alice, web_push_channel):
    return lambda address: api.post(PATH, {"identity": f"u_{alice.pk}", "Address": address, "BindingType": "webpush"})


def test_only_the_browser_can_read_it(api, register, group, push_service_double):
    browser = Browser()
    assert register(browser.address()).status_code == 201
    api.post("/api/voice/sendNotification", {"groupId": group.pk, "message": "Größe 👋"})
    (sent,) = push_service_double.told
    assert "Größe".encode() not in sent.body
    assert browser.read(sent.body) == {"body": "Größe 👋", "groupId": group.pk}


def test_it_is_encrypted_as_the_standard_says():
    """The example of https://www.rfc-editor.org/rfc/rfc8291#section-5"""
    browsers = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    to = Subscription("https://push.example.net/push/1", octets(browsers), octets("BTBZMqHH6r4Tts7J_aSIgg"))
    own = key_of_number("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
    said = web_push.encrypted(
        b"When I grow up, I want to be a watermelon", to, own=own, salt=octets("DGv6ra1nlYgDCS1FRnbzlw")
    )
    assert urlsafe_b64encode(said).rstrip(b"=").decode() == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A"
        "_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_the_same_subscription_is_the_same_device_however_it_is_written(register):
    browser = Browser()
    keys = browser.subscription()["keys"]
    register(browser.address())
    register(browser.address(expirationTime=17, keys={name: f"{key}==" for name, key in reversed(keys.items())}))
    assert ours(Device).count() == 1


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.com/send/a",
        "https://localhost/send/a",
        "https://intranet/send/a",
        "https://10.0.0.1/send/a",
        "https://127.0.0.1/send/a",
        "https://169.254.169.254/latest",
        "https://2130706433/send/a",
        "https://0x7f.1/send/a",
        "https://[::1]/send/a",
        "https://[2001:4860:4860::8888]/send/a",
        "https://8.8.8.8/send/a",
        "https://push.example.com:8443/send/a",
        "https://push.example.com:x/send/a",
        "https://user:word@push.example.com/send/a",
        "https://push.example.com/send/a b",
        "https://push.example.com/send/\r\nX-Y: z",
        "https://größe.example.com/",
        "file:///etc/passwd",
        "",
        None,
        7,
        pytest.param("https://push.example.com/" + "a" * 2048, id="long"),
    ],
)
def test_an_endpoint_that_no_push_service_has_is_refused(register, endpoint):
    answer = register(Browser().address(endpoint=endpoint))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert not ours(Device).exists()


@pytest.mark.parametrize(
    "keys",
    [{}, None, [], {"auth": "AAAAAAAAAAAAAAAAAAAAAA"}, {"p256dh": "AAAA", "auth": "AAAA"}, {"p256dh": 5, "auth": None}],
)
def test_keys_that_are_none_are_refused(register, keys):
    assert register(Browser().address(keys=keys)).status_code == 400


@pytest.mark.parametrize(
    "address",
    ["token", "[]", "null", '"x"', "{", pytest.param("[" * 2000, id="deep"), pytest.param("x" * 5000, id="long")],
)
def test_what_is_no_subscription_is_refused_in_words(register, address):
    answer = register(address)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["Address"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "100.64.0.1",
        "::1",
        "fd00::1",
        "fe80::1%2",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:224.0.0.1",
        "224.0.0.1",
        "ff0e::1",
        pytest.param("93.184.216.34 10.1.2.3", id="the first outside and the second inside"),
    ],
)
def test_a_name_that_leads_inside_is_not_followed(register, api, group, settings, monkeypatch, address, log):
    """Names are looked up when they are asked: whoever owns one may change where it leads."""
    register(Browser().address())
    (backend,) = settings.NOTIFICATIONS
    settings.NOTIFICATIONS = [{**backend, "OPTIONS": {**backend["OPTIONS"], "api_base": ""}}]
    leads_to(address, monkeypatch)
    assert api.post("/api/voice/sendNotification", {"groupId": group.pk}).status_code == 503
    assert ours(Device).count() == 1
    assert "ConnectError" in str(log.named("groups.notifications.direct"))


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "::ffff:8.8.8.8"])
def test_the_address_that_was_looked_up_is_the_one_that_is_asked(monkeypatch, address):
    leads_to(address, monkeypatch)
    key = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
    channel = web_push.WebPush(vapid_private_key=key, vapid_subject="mailto:o@example.com")
    to = Subscription("https://push.example.com/send/a?b=c", b"", b"")
    assert channel.target(to) == (
        f"https://{f'[{address}]' if ':' in address else address}/send/a?b=c",
        "push.example.com",
        {"sni_hostname": "push.example.com"},
    )


def test_a_key_is_made_by_a_command_and_its_public_one_is_what_push_services_hear(
    api, group, alice, settings, push_service_double, web_push_channel
):
    out, err = StringIO(), StringIO()
    call_command("make_vapid_key", stdout=out, stderr=err)
    private, _, public = out.getvalue().strip().splitlines()
    (backend,) = settings.NOTIFICATIONS
    own = {**backend["OPTIONS"], "vapid_private_key": private.removeprefix("VAPID_PRIVATE_KEY=")}
    settings.NOTIFICATIONS = [{**backend, "OPTIONS": own}]
    api.post(PATH, {"identity": f"u_{alice.pk}", "Address": Browser().address(), "BindingType": "webpush"})
    api.post("/api/voice/sendNotification", {"groupId": group.pk})
    channels()[0].clients.close()
    assert push_service_double.public_keys == {public.removeprefix("# ")}
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), octets(public.removeprefix("# ")))
