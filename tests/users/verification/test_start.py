"""POST …/phoneVerification sends a code."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from tests.access.rows import all_rows, changed
from tests.neighbours import ours
from tests.users.verification.conftest import NUMBER
from users.models import LimitCount, PendingVerification, VerifiedNumber

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("channel", ["sms", "call"])
def test_a_code_is_sent(service, start, alice, channel):
    answer = start(alice, channel=channel)
    assert answer.status_code == 202
    sent = answer.json()
    assert (sent["phoneNumber"], sent["channel"], len(sent)) == (NUMBER, channel, 3)
    left = datetime.fromisoformat(sent["expiresAt"]) - timezone.now()
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    assert not ours(VerifiedNumber).exists()


@pytest.mark.parametrize(
    ("written", "more"),
    [
        ("(202) 555-0143", {"country": "US"}),
        ("202 555 0143", {"country": "us"}),
        ("12025550143", {}),
        (12025550143, {}),
        ("+1 202 555 0143", {"country": None}),
    ],
)
def test_a_number_is_read_as_people_write_it(sandbox_verify, start, alice, written, more):
    assert start(alice, written, **more).json()["phoneNumber"] == NUMBER


@pytest.mark.parametrize(
    ("body", "field", "why"),
    [
        ({"phoneNumber": "+266696687"}, "phoneNumber", "No telephone has this number."),
        ({"phoneNumber": "anonymous"}, "phoneNumber", "No telephone has this number."),
        ({"phoneNumber": "202-555-0143"}, "phoneNumber", "with the country code"),
        ({"phoneNumber": "+1202555014"}, "phoneNumber", "No telephone has this number."),
        ({"phoneNumber": "911", "country": "US"}, "phoneNumber", "No telephone has this number."),
        ({"phoneNumber": "+19005551234"}, "phoneNumber", "costs extra"),
        ({"phoneNumber": None}, "phoneNumber", "null"),
        ({"phoneNumber": [NUMBER]}, "phoneNumber", "No telephone has this number."),
        ({"phoneNumber": True}, "phoneNumber", "No telephone has this number."),
        ({"phoneNumber": "1" * 1000}, "phoneNumber", "No telephone has this number."),
        ({"country": "ZZ"}, "country", "two letters"),
        ({"country": "USA"}, "country", "2 characters"),
        ({"channel": "pigeon"}, "channel", "pigeon"),
        ({"channel": None}, "channel", "null"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_words_and_uses_up_nothing(
    sandbox_verify, api, path, alice, body, field, why
):
    before = all_rows()
    answer = api.post(path(alice), {"phoneNumber": NUMBER, "channel": "sms", **body})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert why in error["message"]
    assert changed(before, all_rows()) == []


@pytest.mark.parametrize("missing", ["phoneNumber", "channel"])
def test_what_is_missing_is_named(sandbox_verify, api, path, alice, missing):
    body = {"phoneNumber": NUMBER, "channel": "sms"}
    del body[missing]
    assert [each["field"] for each in api.post(path(alice), body).json()["errors"]] == [missing]


def test_nobody_is_404(sandbox_verify, api):
    assert api.post("/api/users/999/phoneVerification", {"phoneNumber": NUMBER, "channel": "sms"}).status_code == 404
    assert not LimitCount.objects.exists()


def test_a_person_has_three_an_hour(service, start, alice):
    numbers = [f"+1202555014{digit}" for digit in range(4)]
    assert [start(alice, number).status_code for number in numbers] == [202, 202, 202, 429]
    refused = start(alice)
    assert 3500 < int(refused["Retry-After"]) <= 3600
    assert refused.json()["detail"].endswith("Try again in 60 minutes.")


def test_a_number_has_three_an_hour_whoever_asks(service, start, alice, bob, carol, dave):
    assert [start(person).status_code for person in (alice, bob, carol, dave)] == [202, 202, 202, 429]
    assert start(dave, "+12025550199").status_code == 202


def test_the_same_code_sent_again_under_a_key_counts_once(sandbox_verify, api, path, alice):
    body, key = {"phoneNumber": NUMBER, "channel": "sms"}, {"Idempotency-Key": "k1"}
    first, again = (api.post(path(alice), body, headers=key) for _ in range(2))
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert {len(row.taken) for row in LimitCount.objects.filter(limit="phone_verification")} == {1}
    assert api.post(path(alice), {**body, "channel": "call"}, headers=key).status_code == 422


def test_where_the_limit_is_off_nothing_is_too_often(sandbox_verify, start, alice, settings):
    settings.THROTTLE_PHONE_VERIFICATION = None
    assert [start(alice).status_code for _ in range(4)] == [202] * 4
    assert not LimitCount.objects.exists()


def test_another_code_has_all_its_tries(sandbox_verify, start, type_in, alice):
    start(alice)
    type_in(alice, "000000")
    start(alice)
    assert ours(PendingVerification).get().tries == 0


def test_a_new_one_takes_the_place_of_the_old(sandbox_verify, start, alice):
    start(alice)
    start(alice, "+12025550199")
    assert ours(PendingVerification).get().number == "+12025550199"


def test_where_it_is_switched_off_it_says_so(settings, start, alice):
    settings.VERIFICATION = {}
    answer = start(alice)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_configured")
    assert "VERIFY_SERVICE_SID" in answer.json()["detail"]
    assert {len(row.taken) for row in LimitCount.objects.all()} <= {0}


def test_the_log_says_the_sandboxs_code_and_no_number(sandbox_verify, start, alice, code, caplog):
    start(alice)
    assert code(alice) in caplog.text
    assert NUMBER[1:] not in caplog.text
