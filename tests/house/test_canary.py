"""Marked secrets go into every input. Their marks are looked for in every line of the log, and in what a 5xx says."""

import logging
import re
from urllib.parse import urlencode

import pytest
from django.db import OperationalError, transaction
from rest_framework.test import APIClient

from tests.doubles.server import Answer, Fault
from tests.doubles.stripe import event, signature
from tests.house.canary import TWILIOS, Canary, bodies, fields_of, multipart, operations
from tests.uploads.test_upload import picture
from tests.voice.conftest import sign
from users.api.views import UserViewSet
from users.models import Export, User
from voicechat.sentry import ToSentry, event_of

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def canary():
    return Canary()


@pytest.fixture
def sentrys():
    """The event that Sentry would get for each line of the log, errors and others."""
    handler = ToSentry()
    handler.setLevel(logging.DEBUG)
    events = []
    handler.emit = lambda record: events.append(event_of(record))
    logging.getLogger().addHandler(handler)
    yield events
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def send(canary, log, sentrys):
    """Sends a request; it must be logged, once, and neither the log, nor Sentry, nor a 5xx may hold a mark."""
    client = APIClient(raise_request_exception=False)

    def send(method, path, body=b"", content_type="application/json", **extra):
        log.texts.clear()
        sentrys.clear()
        answer = client.generic(method, path, body, content_type=content_type, **extra)
        assert len(log.named("voicechat.requests")) == 1
        assert [text for text in log.texts if canary.found_in(text)] == []
        assert [event for event in map(str, sentrys) if canary.found_in(event)] == []
        assert answer.status_code < 500 or not canary.found_in(answer.content.decode())
        return answer

    return send


@pytest.fixture
def true(alice, group):
    """What a body must hold to get past its reading."""
    alice.stripe_id = "cus_canary"
    alice.save()
    ids = {"userId": alice.pk, "groupId": group.pk, "FriendlyName": group.pk, "to": group.pk}
    money = {"amountToAdd": 20, "accountBalance": "12.50", "last4": "4242", "userStripeId": "cus_canary"}
    call = {"CallStatus": "completed", "SequenceNumber": 1}
    captions = {"on": True, "language": "de-DE", "keep": False, "TranscriptionEvent": "transcription-content"}
    return {**ids, **money, **call, **captions, "BindingType": "apn", "tags": [group.pk], "callStatus": True}


@pytest.mark.parametrize(("method", "path"), operations())
def test_no_operation_logs_what_it_is_sent(send, canary, true, alice, group, tmp_path, settings, method, path):
    settings.MEDIA_ROOT = tmp_path
    ids = {"user_id": alice.pk, "group_id": group.pk, "link_id": 1, "export_id": Export.objects.create(user=alice).pk}
    real = path.format(**ids, token=canary.word("token"))
    for number, (body, content_type) in enumerate(bodies(canary, fields_of(method, path), true)):
        send(method, real, body, content_type, headers=canary.headers() if number % 2 else {})
    send(method, f"{real}?{canary.query()}", headers=canary.headers())
    send(method, re.sub(r"\{\w+\}|$", canary.word("segment"), path, count=1))


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/readyz", "/api/docs", "/admin/login/", "/admin/", "/static/", "/media/"]
)
def test_no_page_logs_what_it_is_sent(send, canary, path):
    login = f"username={canary.value('email')}&password={canary.word('password')}&next=/{canary.word('next')}".encode()
    for method in ("GET", "POST", canary.mark.upper()):
        send(method, f"{path}?{canary.query()}", login, FORM, headers=canary.headers())
        send(method, f"{path}{canary.word('segment')}", login, FORM)


def test_a_sign_in_is_not_logged(send, canary, issuer):
    email = canary.value("email")
    for token in (issuer.token(email, name=canary.word("name")), issuer.token(email, exp=1), canary.word("token")):
        headers = {"Authorization": f"Bearer {token}"}
        for method, path in (("GET", "/api/users"), ("POST", "/api/users"), ("GET", "/api/voice/accessToken")):
            send(method, path, f'{{"email": "{email}"}}', headers=headers)


@pytest.mark.parametrize("path", ["/api/users?limit=1", "/admin/login/"])
@pytest.mark.parametrize(
    "host", ["{}@example.com", "{}/a.example", "{} b", "{}_c.example", "{}..example", "{}é", "+{}"]
)
def test_what_is_no_name_of_a_host_is_not_logged(send, canary, log, alice, bob, settings, path, host):
    """One that is a name is told, by design: tests/house/test_hosts.py."""
    settings.ALLOWED_HOSTS = ["api.example.com"]
    for secret in (canary.word("host"), canary.phone):
        answer = send("GET", path, headers={"Host": host.format(secret).encode().decode("latin-1")})
        assert answer.status_code == 400
        assert [line["host"] for line in log.named("voicechat.middleware")] == ["no name of a host"]
    send("GET", path, headers={"Host": canary.phone})
    send("GET", path, headers={"Host": f"{canary.word('h')}.example" + ".example" * 12})


def test_an_unforeseen_fault_is_logged_without_its_words(send, canary, monkeypatch, log):
    def fail(_):
        try:
            raise ValueError(canary.word("cause"))
        except ValueError as error:
            raise RuntimeError(canary.value("email"), canary.phone) from error

    monkeypatch.setattr(UserViewSet, "get_queryset", fail)
    assert send("GET", "/api/users").status_code == 500
    assert len(log.named("voicechat.errors")[0]["exceptions"]) == 2


def test_a_failing_database_is_logged_without_its_words(send, canary, monkeypatch, log):
    def fail(_):
        raise OperationalError(f"Failing row contains ({canary.value('email')})")

    monkeypatch.setattr(UserViewSet, "get_queryset", fail)
    assert send("GET", "/api/users").status_code == 503
    assert len(log.named("voicechat.errors")) == 1


def test_a_row_that_the_database_refuses_is_not_logged(send, canary, monkeypatch, log):
    """PostgreSQL says: Key (lower(email))=(…) already exists."""
    User.objects.create(email=canary.value("email"), display_name=canary.word("name"))

    def insert_again(_):
        with transaction.atomic():
            User.objects.create(email=canary.value("email"), display_name=canary.word("name"))

    monkeypatch.setattr(UserViewSet, "get_queryset", insert_again)
    assert send("GET", "/api/users").status_code == 409
    assert log.named("voicechat.errors")[0]["exceptions"][0]["type"] == "django.db.utils.IntegrityError"


@pytest.fixture(params=[None, Fault.SERVER_ERROR, Fault.LOSE_ANSWER, "quotes"])
def fault(request, canary):
    """How a vendor fails, or not; when it quotes what it was sent, in the words of all three."""
    if request.param != "quotes":
        return request.param
    said = {"message": canary.word("quoted"), "code": 20500, "status": 500}
    return Answer(500, {**said, "error": {"type": "api_error", "message": canary.word("quoted")}})


def test_stripe_and_its_library_log_no_secret(send, canary, true, stripe_payments, stripe_double, fault):
    stripe_double.fail_next(*[fault] * 50)
    names = ("attachSourceToCustomer", "addMoney", "createCharge", "updateCreditCard", "userStripeCharges")
    for path in ("/api/users", *(f"/api/billing/{name}" for name in names)):
        body, content_type = next(bodies(canary, fields_of("POST", path), true))
        send("POST", path, body, content_type, headers={"Idempotency-Key": canary.word("idempotency")})
    assert stripe_double.requests


def test_twilio_and_its_library_log_no_secret(send, canary, true, twilio_telephony, twilio_double, fault):
    twilio_double.fail_next(*[fault] * 50)
    for path in ("/api/voice/registerBinding", "/api/voice/sendNotification"):
        body, content_type = next(bodies(canary, fields_of("POST", path), true))
        send("POST", path, body, content_type)
    assert twilio_double.requests


def test_cloudinary_and_its_library_log_no_secret(send, canary, cloudinary_storage, cloudinary_double, fault):
    cloudinary_double.fail_next(*[fault] * 9)
    send("POST", "/api/upload", *multipart(canary, picture() + canary.word("trailer").encode()))
    assert cloudinary_double.requests


@pytest.mark.parametrize(
    "name",
    ["makeCall", "dialIn", "dialIn/pin", "ringAnswer", "keypad", "conferenceEvents", "callEvents", "captionEvents"],
)
@pytest.mark.parametrize("to", ["the group", "a number", "nothing"])
def test_what_twilio_tells_is_not_logged(send, canary, true, group, alice, name, to):
    path, phones = f"/api/voice/{name}", {"From": f"+{canary.phone}", "To": f"+{canary.phone}"}
    params = {**phones, **{field: true.get(field, canary.value(field)) for field in TWILIOS if field not in phones}}
    if to != "nothing":
        params["to"] = group.pk if to == "the group" else canary.phone
    for number in (1, 2, canary.word("number")):
        params["SequenceNumber"] = number
        answer = send("POST", path, urlencode(params), FORM, headers={"X-Twilio-Signature": sign(path, params)})
        assert answer.status_code in (200, 204)


def test_what_stripe_tells_is_not_logged(send, canary, stripe_payments):
    secrets = {"client_secret": canary.word("secret"), "receipt_email": canary.value("email")}
    for kind in ("payment_intent.succeeded", "customer.updated"):
        thing = {"id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 100, "currency": "usd"}
        body = event(kind, {**thing, **secrets})
        answer = send("POST", "/api/billing/stripeWebhook", body, headers={"Stripe-Signature": signature(body)})
        assert answer.status_code == 204


def test_what_an_operator_does_is_not_logged(send, canary, admin_client, alice):
    session = {"Cookie": f"sessionid={admin_client.cookies['sessionid'].value}"}
    person = {"email": canary.value("email"), "display_name": canary.word("name"), "password1": canary.word("password")}
    for method in ("GET", "POST"):
        for page in ("", "users/user/", "users/user/add/", f"users/user/{alice.pk}/change/", "users/user/x/change/"):
            send(
                method,
                f"/admin/{page}?q={canary.value('email')}&e={canary.phone}",
                urlencode(person),
                FORM,
                headers=session,
            )
