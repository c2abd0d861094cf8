"""A vendor that answers with a redirect: what we send it goes nowhere else."""

import pytest

from billing.gateway.interface import PaymentsUnavailable
from groups.models import Device
from groups.notifications.channels import ChannelUnavailable
from tests.doubles.server import Answer, Double
from uploads.storage import StorageUnavailable
from voice.telephony.interface import TelephonyUnavailable

SECRET = "sesame"


class Elsewhere(Double):
    """Where the redirect leads: whatever it hears is a leak."""

    def not_found(self, request):
        return Answer(200, {})

    server_error = not_found


@pytest.fixture
def elsewhere(_loopback):
    with Elsewhere() as double:
        yield double


REDIRECTS = pytest.mark.parametrize("status", [301, 302, 303, 307, 308])


def leads_away(double, elsewhere, status):
    away = Answer(status, {}, {"Location": f"{elsewhere.url}/{SECRET}"})
    double.fail_next(*[away] * 4)


@REDIRECTS
def test_stripe(stripe_payments, stripe_double, elsewhere, status):
    leads_away(stripe_double, elsewhere, status)
    with pytest.raises(PaymentsUnavailable):
        stripe_payments.charge(customer="cus_1", source="tok_visa", amount_cents=2000, top_up="1")
    assert elsewhere.requests == []


@REDIRECTS
def test_cloudinary(cloudinary_storage, cloudinary_double, elsewhere, status):
    leads_away(cloudinary_double, elsewhere, status)
    with pytest.raises(StorageUnavailable):
        cloudinary_storage.save(SECRET.encode(), extension="png")
    assert elsewhere.requests == []


@REDIRECTS
def test_twilio(twilio_telephony, twilio_double, elsewhere, status):
    leads_away(twilio_double, elsewhere, status)
    with pytest.raises(TelephonyUnavailable):
        twilio_telephony.end_call(call_sid="CA1")
    assert elsewhere.requests == []


@REDIRECTS
def test_twilio_notify(twilio_notify, twilio_double, elsewhere, status):
    leads_away(twilio_double, elsewhere, status)
    with pytest.raises(ChannelUnavailable):
        twilio_notify.send(devices=[Device(identity="u_1", address="a", sid="BS1")], body=SECRET, group_id=1)
    assert elsewhere.requests == []


@REDIRECTS
def test_the_issuer(api, alice, issuer, elsewhere, status):
    leads_away(issuer, elsewhere, status)
    answer = api.get("/api/users", headers={"Authorization": f"Bearer {issuer.token()}"})
    assert answer.json()["code"] == "issuer_unreachable"
    assert elsewhere.requests == []
