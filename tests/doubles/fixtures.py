"""The doubles and, beside each, the real adapter that talks to it; and the sandboxes, which need none."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings
from stripe import HTTPClient

from billing.gateway.interface import Payments, payments
from core import vendors
from core.deadline import deadline
from groups.notifications.channels import Channel, channels
from groups.notifications.direct import DirectChannel
from tests.doubles import apns, cloudinary, push_service, stripe, twilio
from tests.doubles.apns import APNsDouble
from tests.doubles.cloudinary import CloudinaryDouble
from tests.doubles.fcm import FCMDouble
from tests.doubles.issuer import AUDIENCE, IssuerDouble
from tests.doubles.mail_server import MailDouble
from tests.doubles.push_service import PushServiceDouble
from tests.doubles.stripe import StripeDouble
from tests.doubles.twilio import TwilioDouble
from uploads.storage import Storage, storage
from users.sign_in.issuers import forget_keys
from users.verification.interface import Verification, verification
from voice.telephony.interface import Telephony, telephony


@pytest.fixture
def issuer_double(_loopback: None) -> Iterator[IssuerDouble]:
    with IssuerDouble() as double:
        yield double


@pytest.fixture
def issuer(issuer_double: IssuerDouble, settings: Settings) -> IssuerDouble:
    """Sign-in is on, by this issuer's tokens."""
    settings.OPEN_MODE = False
    settings.OIDC_ISSUER = issuer_double.url
    settings.OIDC_AUDIENCE = [AUDIENCE]
    forget_keys()
    return issuer_double


@pytest.fixture
def _loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the shell's, and no adapter that was made for an earlier double: ports come again."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    vendors._instance.cache_clear()


@pytest.fixture
def past_deadline() -> Iterator[None]:
    """The request has used up its time for vendors."""
    with deadline(0.0):
        yield


@pytest.fixture
def short_deadline() -> Iterator[None]:
    """The request may spend a moment on vendors."""
    with deadline(0.3):
        yield


@pytest.fixture
def stripe_double(_loopback: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeDouble]:
    monkeypatch.setattr(HTTPClient, "INITIAL_DELAY", 0)  # between its two tries it would sleep half a second
    monkeypatch.setattr(HTTPClient, "MAX_DELAY", 0)
    with StripeDouble() as double:
        yield double


@pytest.fixture
def stripe_payments(stripe_double: StripeDouble, settings: Settings) -> Payments:
    settings.PAYMENTS = {
        "BACKEND": "billing.gateway.stripe_payments.StripePayments",
        "OPTIONS": {
            "sk_test": stripe.SECRET_KEY,
            "api_base": stripe_double.url,
            "webhook_secret": stripe.WEBHOOK_SECRET,
        },
    }
    return payments()


@pytest.fixture
def sandbox_payments(db: None, settings: Settings) -> Payments:
    settings.PAYMENTS = {"BACKEND": "billing.gateway.sandbox_payments.SandboxPayments", "OPTIONS": {}}
    return payments()


@pytest.fixture
def twilio_double(_loopback: None) -> Iterator[TwilioDouble]:
    with TwilioDouble() as double:
        yield double


@pytest.fixture
def twilio_telephony(twilio_double: TwilioDouble, settings: Settings) -> Telephony:
    settings.TELEPHONY = {
        "BACKEND": "voice.telephony.twilio_telephony.TwilioTelephony",
        "OPTIONS": {**twilio.CREDENTIALS, "api_base": twilio_double.url},
    }
    settings.NOTIFICATIONS = [
        {
            "BACKEND": "groups.notifications.twilio_notify.TwilioNotify",
            "OPTIONS": {**twilio.NOTIFY_CREDENTIALS, "api_base": twilio_double.url},
        }
    ]
    return telephony()


@pytest.fixture
def twilio_notify(twilio_telephony: Telephony) -> Channel:
    return channels()[0]


@pytest.fixture
def twilio_verify(twilio_double: TwilioDouble, settings: Settings) -> Verification:
    settings.VERIFICATION = {
        "BACKEND": "users.verification.twilio_verify.TwilioVerify",
        "OPTIONS": {**twilio.VERIFY_CREDENTIALS, "api_base": twilio_double.url},
    }
    return verification()


@pytest.fixture
def sandbox_verify(db: None, settings: Settings) -> Verification:
    settings.VERIFICATION = {"BACKEND": "users.verification.sandbox_verify.SandboxVerify", "OPTIONS": {}}
    return verification()


@pytest.fixture
def sandbox_telephony(db: None, settings: Settings) -> Telephony:
    settings.TELEPHONY = {"BACKEND": "voice.telephony.sandbox_telephony.SandboxTelephony", "OPTIONS": {}}
    return telephony()


@pytest.fixture
def sandbox_notify(db: None, settings: Settings) -> Channel:
    settings.NOTIFICATIONS = [{"BACKEND": "groups.notifications.sandbox_notify.SandboxNotify", "OPTIONS": {}}]
    return channels()[0]


@pytest.fixture
def apns_double(_loopback: None) -> Iterator[APNsDouble]:
    with APNsDouble() as double:
        yield double


@pytest.fixture
def apns_channel(apns_double: APNsDouble, settings: Settings) -> Iterator[Channel]:
    yield from only_channel(settings, "apns.APNs", **apns.CREDENTIALS, api_base=apns_double.url)


@pytest.fixture
def fcm_double(_loopback: None) -> Iterator[FCMDouble]:
    with FCMDouble() as double:
        yield double


@pytest.fixture
def fcm_channel(fcm_double: FCMDouble, settings: Settings) -> Iterator[Channel]:
    yield from only_channel(settings, "fcm.FCM", fcm_credentials=fcm_double.credentials(), api_base=fcm_double.url)


@pytest.fixture
def push_service_double(_loopback: None) -> Iterator[PushServiceDouble]:
    with PushServiceDouble() as double:
        yield double


@pytest.fixture
def web_push_channel(push_service_double: PushServiceDouble, settings: Settings) -> Iterator[Channel]:
    own = {"vapid_private_key": push_service.VAPID_KEY, "vapid_subject": push_service.SUBJECT}
    yield from only_channel(settings, "web_push.WebPush", **own, api_base=push_service_double.url)


def only_channel(settings: Settings, path: str, **options: str) -> Iterator[Channel]:
    settings.NOTIFICATIONS = [{"BACKEND": f"groups.notifications.{path}", "OPTIONS": options}]
    (channel,) = channels()
    assert isinstance(channel, DirectChannel)
    yield channel
    channel.clients.close()


@pytest.fixture
def cloudinary_double(_loopback: None) -> Iterator[CloudinaryDouble]:
    with CloudinaryDouble() as double:
        yield double


@pytest.fixture
def cloudinary_storage(cloudinary_double: CloudinaryDouble, settings: Settings) -> Storage:
    settings.STORAGE = {
        "BACKEND": "uploads.cloudinary_storage.CloudinaryStorage",
        "OPTIONS": {
            "cloudinary_api_key": cloudinary.API_KEY,
            "cloudinary_api_name": cloudinary.CLOUD,
            "cloudinary_api_secret": cloudinary.API_SECRET,
            "api_base": cloudinary_double.url,
        },
    }
    return storage()


@pytest.fixture
def sandbox_storage(settings: Settings, tmp_path) -> Storage:
    settings.MEDIA_ROOT = tmp_path
    settings.STORAGE = {"BACKEND": "uploads.sandbox_storage.SandboxStorage", "OPTIONS": {}}
    return storage()


@pytest.fixture
def mail_double() -> Iterator[MailDouble]:
    with MailDouble() as double:
        yield double


@pytest.fixture
def mail(mail_double: MailDouble, _loopback: None, settings: Settings) -> MailDouble:
    """E-mail goes to the double."""
    settings.MAIL = mail_at(mail_double)
    return mail_double


def mail_at(double: MailDouble, **changes: str) -> dict[str, Any]:
    options = {
        "email_host": "127.0.0.1",
        "default_from_email": "Family Calls <hello@calls.example.com>",
        "email_port": str(double.port),
        "email_use_tls": "",
    }
    return {"BACKEND": "groups.notifications.mail.smtp.SMTPMailer", "OPTIONS": {**options, **changes}}
