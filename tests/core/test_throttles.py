"""What is asked for too often is answered 429, and not done."""

import re
import time
from uuid import uuid4

import pytest
from django.urls import get_resolver
from rest_framework.exceptions import APIException

from tests.openapi import document
from tests.wire.test_routes import ROUTES
from users.callers import Identity, Newcomer
from users.models import User
from voicechat.errors import refusal

THROTTLED = {
    ("post", "/api/users"): "SIGN_UP",
    ("get", "/api/voice/accessToken"): "ACCESS_TOKEN",
    ("post", "/api/billing/addMoney"): "PAYMENTS",
    ("post", "/api/billing/createCharge"): "PAYMENTS",
    ("post", "/api/billing/attachSourceToCustomer"): "PAYMENTS",
    ("post", "/api/billing/updateCreditCard"): "PAYMENTS",
    ("post", "/api/billing/updateDefaultSource"): "PAYMENTS",
    ("post", "/api/billing/retrieveCustomerDefaultSource"): "CARD_INQUIRIES",
    ("post", "/api/billing/userStripeCharges"): "CARD_INQUIRIES",
    ("post", "/api/groups/1/activities"): "ACTIVITIES",
    ("post", "/api/voice/registerBinding"): "DEVICES",
    ("post", "/api/voice/register-binding"): "DEVICES",
    ("post", "/api/voice/sendNotification"): "NOTIFICATIONS",
    ("post", "/api/voice/send-notification"): "NOTIFICATIONS",
    ("post", "/api/live/tickets"): "STREAM_TICKETS",
    ("get", "/api/groups/invitations/x"): "INVITATION_TOKENS",
    ("post", "/api/groups/invitations/x/accept"): "INVITATION_TOKENS",
    ("post", "/api/upload"): "UPLOADS",
    ("get", "/api/users/1/export"): "EXPORTS",
    ("get", "/api/users/unsubscribe"): "UNSUBSCRIBE",
    ("post", "/api/users/unsubscribe"): "UNSUBSCRIBE",
}
OTHERS = [(m.lower(), path) for methods, path in ROUTES for m in methods if (m.lower(), path) not in THROTTLED]
NOON = 1_800_000_000.25

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_counted_yet(settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": uuid4().hex}}


@pytest.fixture
def limit(settings):
    def limit(*scopes, rate=(1, 60)):
        for scope in scopes:
            setattr(settings, f"THROTTLE_{scope}", rate)

    return limit


@pytest.fixture
def at(monkeypatch):
    """Sets the clock to so many seconds after noon, which is where it stands."""

    def at(seconds):
        monkeypatch.setattr(time, "time", lambda: NOON + seconds)

    at(0)
    return at


@pytest.fixture
def sign_up(api):
    return lambda **extra: api.post("/api/users", {}, **extra).status_code


@pytest.fixture
def ask_token(api):
    def ask_token(user, address):
        api.force_authenticate(user)
        return api.get("/api/voice/accessToken", REMOTE_ADDR=address).status_code

    return ask_token


@pytest.fixture
def notify(api):
    return lambda path="sendNotification", **body: api.post(f"/api/voice/{path}", body).status_code


@pytest.mark.parametrize(("method", "path"), THROTTLED)
def test_the_second_is_too_often(api, group, limit, at, method, path):
    limit(THROTTLED[method, path])
    body = f'{{"groupId": {group.pk}}}'
    path = path.replace("/groups/1/", f"/groups/{group.pk}/")
    first, second = (api.generic(method.upper(), path, body, content_type="application/json") for _ in range(2))
    assert first.status_code != 429
    assert (second.status_code, second["Retry-After"], second.json()["code"]) == (429, "60", "throttled")
    assert second.json()["detail"] == "That was too often. Try again in 60 seconds."


@pytest.mark.parametrize(("method", "path"), OTHERS)
def test_nothing_else_is_ever_too_often(api, limit, method, path):
    limit(*THROTTLED.values())
    assert 429 not in [api.generic(method.upper(), path).status_code for _ in range(3)]


def test_no_other_view_has_a_throttle():
    """The table above is whole: the code has no other throttle, the OpenAPI document no other 429."""
    described = {
        (method, path)
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
        if "429" in operation["responses"]
    }
    views = {
        pattern.callback.cls
        for pattern in get_resolver().url_patterns
        if getattr(pattern.callback, "cls", None) and pattern.callback.cls.throttle_classes
    }
    by_services = {"groups/{group_id}/groupInvitees", "groups/{group_id}/invitationLinks", "groups/{group_id}/ring"}
    by_services |= {"groups/{group_id}/spokenMessages"}
    for path in by_services | {"users/{user_id}/phoneVerification"}:  # counted where something is sent
        described.remove(("post", f"/api/{path}"))
    described.remove(("get", "/api/live"))  # of streams so many may be open at once
    listed = {
        (method, re.sub("([a-z]+)s/1/", r"\1s/{\1_id}/", path).replace("/x", "/{token}")) for method, path in THROTTLED
    }
    assert described == listed
    assert {view.__name__ for view in views} == {
        "UserViewSet",
        "TokenViewSet",
        "DeviceViewSet",
        "PaymentViewSet",
        "CardViewSet",
        "UploadViewSet",
        "ActivityViewSet",
        "StreamTicketViewSet",
        "OpenInvitationViewSet",
        "AcceptanceViewSet",
        "UnsubscribeViewSet",
        "ExportViewSet",
    }


def test_a_place_is_free_again_one_period_after_it_was_taken(sign_up, limit, at):
    limit("SIGN_UP", rate=(2, 60))
    answers = [at(second) or sign_up() for second in (0, 50, 59, 60, 61, 110, 119)]
    assert answers == [400, 400, 429, 400, 429, 400, 429]


def test_where_a_throttle_is_off_nothing_is_too_often(sign_up, limit):
    limit("SIGN_UP", rate=None)
    assert [sign_up() for _ in range(3)] == [400] * 3


def test_what_is_refused_takes_no_place(sign_up, limit, at):
    limit("SIGN_UP")
    assert [at(second) or sign_up() for second in (0, 30, 59, 60)] == [400, 429, 429, 400]


@pytest.mark.parametrize(("second", "wait"), [(0.5, "60"), (59, "1"), (59.999, "1")])
def test_the_wait_is_rounded_up_to_whole_seconds(api, limit, at, second, wait):
    limit("SIGN_UP")
    api.post("/api/users", {})
    at(second)
    assert api.post("/api/users", {})["Retry-After"] == wait


def test_the_wait_is_for_the_place_that_is_free_first(api, sign_up, limit, at):
    limit("SIGN_UP", rate=(2, 60))
    sign_up(), at(20), sign_up(), at(30)
    assert api.post("/api/users", {})["Retry-After"] == "30"


class Busy(APIException):
    wait: float


@pytest.mark.parametrize(("wait", "said"), [(1.2, "2"), (5, "5"), (0, "1"), (-0.5, "1")])
def test_every_wait_is_whole_seconds_and_at_least_one(wait, said):
    """Below one it comes where the clocks of two machines differ, and a place in Redis should be free by now."""
    busy = Busy()
    busy.wait = wait
    assert refusal(busy)["Retry-After"] == said


def test_money_and_cards_are_counted_together_and_apart_from_the_rest(api, sign_up, limit):
    limit("PAYMENTS", "SIGN_UP")
    paths = ("addMoney", "createCharge", "attachSourceToCustomer", "updateCreditCard", "updateDefaultSource")
    assert [api.post(f"/api/billing/{path}", {}).status_code for path in paths] == [400, 429, 429, 429, 429]
    assert sign_up() == 400


def test_a_signed_in_person_is_counted_wherever_they_are(ask_token, limit, alice, bob):
    limit("ACCESS_TOKEN")
    assert ask_token(alice, "192.0.2.1") == ask_token(bob, "192.0.2.1") == 200
    assert ask_token(alice, "192.0.2.2") == 429


def newcomer(subject):
    return Newcomer(Identity("https://id.example.com", subject, "eve@example.com", email_verified=True))


def test_who_has_not_signed_up_yet_is_counted_by_their_sign_in(sign_up, api, limit):
    limit("SIGN_UP")
    api.force_authenticate(newcomer("1"))
    assert [sign_up(), sign_up(REMOTE_ADDR="192.0.2.2")] == [400, 429]
    api.force_authenticate(newcomer("2"))
    assert sign_up() == 400


def test_in_open_mode_a_sign_up_is_counted_by_address(sign_up, limit):
    limit("SIGN_UP")
    assert [sign_up(), sign_up(), sign_up(REMOTE_ADDR="192.0.2.2")] == [400, 429, 400]


def test_a_group_is_counted_however_it_is_named(notify, limit, group):
    limit("NOTIFICATIONS")
    assert notify(groupId=group.pk) == 200
    assert notify(groupId=str(group.pk)) == notify(FriendlyName=f"0{group.pk}") == 429
    assert notify("send-notification", groupId=group.pk, FriendlyName=group.pk + 1) == 429
    assert notify(FriendlyName=group.pk + 1) == 404


def test_both_names_of_a_groups_conference_count_as_one(notify, limit, group, settings):
    settings.CONFERENCE_PREFIX = "blue-"
    limit("NOTIFICATIONS")
    assert [notify(FriendlyName=name) for name in (f"blue-{group.pk}", str(group.pk))] == [200, 429]


def test_a_form_names_the_group_too(api, notify, limit, group):
    limit("NOTIFICATIONS")
    notify(groupId=group.pk)
    assert api.post("/api/voice/sendNotification", {"groupId": group.pk}, format="multipart").status_code == 429
    empty_first = {"groupId": "", "FriendlyName": group.pk}
    assert api.post("/api/voice/sendNotification", empty_first, format="multipart").status_code == 429


def test_a_group_is_counted_whoever_asks(api, notify, limit, group, alice, bob):
    limit("NOTIFICATIONS")
    api.force_authenticate(alice)
    notify(groupId=group.pk)
    api.force_authenticate(bob)
    assert notify(groupId=group.pk) == 429


def test_who_may_not_notify_a_group_takes_no_place(api, notify, limit, group, bob, carol, dave):
    limit("NOTIFICATIONS")
    answers = [api.force_authenticate(user) or notify(groupId=group.pk) for user in (dave, carol, bob, bob)]
    assert answers == [404, 403, 200, 429]


def test_what_is_no_request_of_that_kind_is_not_counted(api, sign_up, limit):
    limit("SIGN_UP")
    assert (api.options("/api/users").status_code, api.put("/api/users").status_code) == (200, 405)
    assert sign_up() == 400


def test_nobody_is_signed_up_too_often(api, limit):
    limit("SIGN_UP")
    for name in ("eve", "mallory"):
        api.post("/api/users", {"email": f"{name}@example.com"})
    assert [user.email for user in User.objects.all()] == ["eve@example.com"]


def test_while_redis_is_down_what_it_counts_is_not_refused(ask_token, alice, limit, settings, caplog):
    limit("ACCESS_TOKEN")
    redis = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": redis, "LOCATION": ["redis://:sesame@127.0.0.1:9"]}}
    assert [ask_token(alice, "192.0.2.1") for _ in range(2)] == [200, 200]
    expected = "Redis fails (ConnectionError: Connection refused): a request to access_token is not counted."
    assert expected in caplog.messages
    assert not any(secret in caplog.text for secret in ("sesame", "127.0.0.1"))


def test_a_clock_that_is_set_back_makes_nobody_wait_for_it(limit, at, ask_token, alice):
    limit("ACCESS_TOKEN")
    assert [ask_token(alice, "192.0.2.1") for _ in range(2)] == [200, 429]
    at(-3600)
    assert ask_token(alice, "192.0.2.1") == 200


@pytest.mark.parametrize(("back", "expected"), [(300, 429), (301, 200)])
def test_the_clocks_of_machines_may_differ_by_five_minutes(limit, at, ask_token, alice, back, expected):
    limit("ACCESS_TOKEN")
    ask_token(alice, "192.0.2.1")
    at(-back)
    assert ask_token(alice, "192.0.2.1") == expected


@pytest.mark.parametrize(("second", "wait"), [(30, "30"), (-200, "60")])
def test_what_the_cache_counts_waits_for_the_first_place_and_no_longer_than_the_period(
    api, limit, at, alice, second, wait
):
    limit("ACCESS_TOKEN", rate=(2, 60))
    api.force_authenticate(alice)
    for taken_at in (0, 20):
        at(taken_at)
        assert api.get("/api/voice/accessToken").status_code == 200
    at(second)
    assert api.get("/api/voice/accessToken")["Retry-After"] == wait
