"""A person, their telephone, and what they do with both."""

import pytest

from users.models import PendingVerification
from users.verification.interface import verification

NUMBER = "+12025550143"


@pytest.fixture(params=["sandbox", "Twilio"])
def service(request):
    """Either of the two that send codes."""
    return request.getfixturevalue("sandbox_verify" if request.param == "sandbox" else "twilio_verify")


@pytest.fixture
def path():
    return lambda person: f"/api/users/{person.pk}/phoneVerification"


@pytest.fixture
def start(api, path):
    def start(person, number=NUMBER, channel="sms", client=api, **more):
        return client.post(path(person), {"phoneNumber": number, "channel": channel, **more})

    return start


@pytest.fixture
def type_in(api, path):
    return lambda person, code, client=api: client.post(f"{path(person)}/check", {"code": code})


@pytest.fixture
def code(request):
    """What stands on the person's telephone."""

    def code(person):
        sid = PendingVerification.objects.get(user=person).sid
        shown = verification().code_of(sid)
        return shown or request.getfixturevalue("twilio_double").verifications[sid]["code"]

    return code


@pytest.fixture
def verify(start, type_in, code):
    def verify(person, number=NUMBER):
        assert start(person, number).status_code == 202
        answer = type_in(person, code(person))
        assert answer.status_code == 200, answer.content
        return answer

    return verify
