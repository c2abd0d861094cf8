"""What only Twilio Verify answers, each in plain words; and a network that fails."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from tests.doubles.server import Answer, Fault
from tests.doubles.twilio import error
from tests.neighbours import ours
from tests.users.verification.conftest import NUMBER
from users.models import LimitCount, PendingVerification, VerifiedNumber

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("twilio_verify")]


@pytest.mark.parametrize(
    ("told", "status", "code", "words"),
    [
        (error(400, 60200, "Invalid parameter `To`"), 400, "number_refused", "written right"),
        (error(403, 60205, "SMS is not supported by landline"), 400, "no_text_messages", "Ask for a call instead"),
        (error(403, 60410, "Blocked"), 400, "number_blocked", "Try again in some hours"),
        (error(403, 60605, "Blocked country"), 400, "number_blocked", "Try again in some hours"),
        (error(429, 60203, "Max send attempts reached"), 429, "codes_sent_too_often", "Try again in 10 minutes."),
        (error(429, 60212, "Too many concurrent requests"), 429, "codes_sent_too_often", "Try again in 10 minutes."),
        (error(429, 20429, "Too Many Requests"), 503, "verification_unavailable", "Nothing is lost"),
        (error(401, 20003, "Authenticate"), 503, "verification_unavailable", "Nothing is lost"),
        (error(404, 20404, "No such service"), 503, "verification_unavailable", "Nothing is lost"),
        (Answer(200, "not JSON"), 503, "verification_unavailable", "Nothing is lost"),
        (Fault.SERVER_ERROR, 503, "verification_unavailable", "Nothing is lost"),
        (Fault.DROP, 503, "verification_unavailable", "Nothing is lost"),
    ],
)
def test_what_is_not_sent_is_said_in_plain_words_and_counts_for_nothing(
    start, alice, twilio_double, told, status, code, words
):
    twilio_double.fail_next(told)
    answer = start(alice)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert words in answer.json()["detail"]
    assert (status == 400) is ("Retry-After" not in answer)
    assert {len(row.taken) for row in LimitCount.objects.all()} == {0}
    assert not ours(PendingVerification).exists()


@pytest.mark.parametrize(
    ("told", "status", "word", "tries"),
    [
        (error(429, 60202, "Max check attempts reached"), 410, "code_expired", 1),
        (error(404, 20404, "The requested resource was not found"), 410, "code_expired", 1),
        (error(400, 60200, "Invalid parameter: Code"), 400, "code_wrong", 1),
        (error(429, 20429, "Too Many Requests"), 503, "verification_unavailable", 0),
        (Fault.SERVER_ERROR, 503, "verification_unavailable", 0),
        (Fault.DROP, 503, "verification_unavailable", 0),
    ],
)
def test_what_is_not_compared_is_said_and_a_silent_service_costs_no_try(
    start, type_in, alice, bob, twilio_double, told, status, word, tries
):
    start(alice)
    start(bob)
    type_in(bob, "000000")
    twilio_double.fail_next(told)
    answer = type_in(alice, "000000")
    assert (answer.status_code, answer.json()["code"]) == (status, word)
    assert dict(ours(PendingVerification).values_list("user", "tries")) == {alice.pk: tries, bob.pk: 1}


@pytest.mark.parametrize("status", ["pending", "canceled", "max_attempts_reached", "deleted", "failed", "expired"])
def test_only_what_is_approved_is_the_right_code(start, type_in, code, alice, twilio_double, status):
    start(alice)
    twilio_double.fail_next(Answer(200, {"sid": "VE1", "status": status, "valid": False}))
    assert type_in(alice, code(alice)).json()["code"] == "code_wrong"
    assert not VerifiedNumber.objects.filter(user=alice).exists()


def test_a_service_that_hangs_is_waited_for_so_long(start, alice, twilio_double, short_deadline):
    twilio_double.fail_next(Fault.HANG)
    assert start(alice).status_code == 503


def test_the_same_code_comes_again_and_has_as_many_tries_left(start, type_in, code, alice, twilio_double):
    start(alice)
    for _ in range(4):
        type_in(alice, "000000")
    start(alice, channel="call")
    assert ours(PendingVerification).get().tries == 4
    assert [type_in(alice, "000000").status_code for _ in range(2)] == [400, 410]


def test_the_tries_of_one_at_a_landline_are_none_of_anothers(start, type_in, alice, bob):
    start(alice)
    for _ in range(2):
        type_in(alice, "000000")
    start(bob)
    type_in(bob, "000000")
    start(alice)
    assert dict(ours(PendingVerification).values_list("user", "tries")) == {alice.pk: 2, bob.pk: 1}


def test_two_people_who_wait_at_one_landline_share_its_code(start, type_in, code, alice, bob):
    """Twilio knows one of a number: who comes second asks for another."""
    start(alice)
    start(bob)
    assert code(alice) == code(bob)
    both = code(alice)
    assert type_in(alice, both).status_code == 200
    assert type_in(bob, both).status_code == 410
    start(bob)
    assert type_in(bob, code(bob)).status_code == 200


def test_who_types_the_right_code_twice_at_once_is_verified(start, type_in, code, alice, twilio_double, monkeypatch):
    start(alice)
    right, answers = code(alice), []

    def again(name):
        monkeypatch.undo()
        answers.append(type_in(alice, right))

    monkeypatch.setattr("users.verification.services.failpoint", again)
    answers.append(type_in(alice, right))
    assert [each.status_code for each in answers] == [200, 200]
    assert ours(VerifiedNumber).get().number == NUMBER


def test_a_try_is_given_back_to_its_own_code_and_to_no_later_one(start, type_in, alice, twilio_double, monkeypatch):
    start(alice)

    def ask_for_another(name):
        monkeypatch.undo()
        start(alice, "+12025550199")
        type_in(alice, "000000")
        twilio_double.fail_next(Fault.SERVER_ERROR)

    monkeypatch.setattr("users.verification.services.failpoint", ask_for_another)
    assert type_in(alice, "000000").status_code == 503
    assert ours(PendingVerification).get().tries == 1


@pytest.mark.parametrize("verified", ["this number an hour ago", "another number just now", "by somebody else"])
def test_a_code_that_counts_no_more_is_not_made_good_by_what_was_verified_besides(
    start, type_in, verify, alice, bob, twilio_double, verified
):
    verify(bob if verified == "by somebody else" else alice)
    number = "+12025550199" if verified == "another number just now" else NUMBER
    VerifiedNumber.objects.filter(number=number).exclude(user=bob).update(verified_at=now() - timedelta(hours=1))
    known = list(ours(VerifiedNumber).values())
    start(alice, number)
    twilio_double.fail_next(error(404, 20404, "The requested resource was not found"))
    answer = type_in(alice, "123456")
    assert (answer.status_code, answer.json()["code"]) == (410, "code_expired")
    assert list(ours(VerifiedNumber).values()) == known


def test_who_waits_for_another_request_in_vain_waits_no_longer_than_so(
    start, type_in, alice, twilio_double, monkeypatch
):
    waits = []

    def wait(seconds):
        waits.append(seconds)
        assert len(waits) < 9, "it waits without end"

    monkeypatch.setattr("users.verification.services.sleep", wait)
    times = iter(range(9))  # seconds
    monkeypatch.setattr("users.verification.services.monotonic", lambda: next(times))
    start(alice)
    type_in(alice, "000000")
    twilio_double.fail_next(error(404, 20404, "The requested resource was not found"))
    assert type_in(alice, "123456").status_code == 410
    assert 2 <= len(waits) <= 3


def test_who_types_a_code_once_waits_for_no_other_request(start, type_in, alice, twilio_double, monkeypatch):
    waits = []
    monkeypatch.setattr("users.verification.services.sleep", waits.append)
    monkeypatch.setattr("users.verification.services.PATIENCE", 0.1)
    start(alice)
    twilio_double.fail_next(error(404, 20404, "The requested resource was not found"))
    assert (type_in(alice, "123456").status_code, waits) == (410, [])


GONE = error(404, 20404, "The requested resource was not found")


def test_what_is_verified_of_another_number_while_a_code_is_compared_does_not_make_it_good(
    start, type_in, verify, alice, twilio_double, monkeypatch
):
    start(alice)

    def verify_another(name):
        monkeypatch.undo()
        verify(alice, "+12025550199")
        twilio_double.fail_next(GONE)

    monkeypatch.setattr("users.verification.services.failpoint", verify_another)
    assert type_in(alice, "000000").status_code == 410
    assert ours(VerifiedNumber).get().number == "+12025550199"


@pytest.mark.parametrize("whose", ["another's of the same telephone", "of their own next code"])
def test_tries_that_are_of_another_code_are_not_waited_for(
    start, type_in, alice, bob, twilio_double, monkeypatch, whose
):
    start(alice)
    waits = []

    def try_twice(name):
        monkeypatch.undo()
        person = alice if whose == "of their own next code" else bob
        start(person, NUMBER if person == bob else "+12025550199")
        for _ in range(2):
            type_in(person, "000000")
        monkeypatch.setattr("users.verification.services.sleep", waits.append)
        monkeypatch.setattr("users.verification.services.PATIENCE", 0.1)
        twilio_double.fail_next(GONE)

    monkeypatch.setattr("users.verification.services.failpoint", try_twice)
    assert (type_in(alice, "000000").status_code, waits) == (410, [])
