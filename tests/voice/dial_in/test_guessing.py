"""Who guesses codes: five an hour a number, fifty for all who show none, two hundred for everybody."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.utils import timezone

from billing.models import PaymentNotice
from core.phone_numbers import e164
from tests.conftest import Client
from tests.neighbours import ours
from tests.voice.dial_in.conftest import BOBS
from tests.voice.dial_in.phone import Phone
from users.limits import LimitCount, take_place
from voice.dial_in import tries
from voice.models import Call

NO_CODES = "We cannot take codes at the moment. Please call again later, or use the app."


@pytest.fixture
def guess(stranger, wrong):
    """Types so many wrong codes, three a call; the last call."""

    def guess(times, caller="+12025550199"):
        call = stranger(caller)
        for number in range(times):
            if call.is_over and number:
                call = stranger(caller)
            call.press(wrong)
        return call

    return guess


def taken(limit):
    return sum(len(row.taken) for row in LimitCount.objects.filter(limit=limit))


def later(settings_free, minutes):
    """So much time passes: what was taken was taken so much earlier."""
    for row in LimitCount.objects.all():
        row.taken = [until - minutes * 60 for until in row.taken]
        row.save()


def test_five_wrong_codes_of_a_number_within_an_hour_lock_it_out(guess, stranger, code, bob):
    assert guess(4).gather is not None
    assert guess(1).is_over
    call = stranger()
    assert call.is_over
    assert call.heard[0].startswith("There were too many wrong codes from your telephone.")


def test_then_a_right_code_that_was_being_typed_is_not_taken_either(guess, stranger, code, bob):
    call = stranger()
    guess(5)
    assert "too many wrong codes" in call.press(code(bob)).words
    assert not ours(Call).exists()


def test_another_number_goes_on(guess, stranger, code, bob, group):
    guess(5)
    assert stranger("+12025550188").press(code(bob)).group_id == group.pk


def test_an_hour_later_it_is_asked_again(guess, stranger, code, bob, group):
    guess(5)
    later(None, 58)
    assert stranger().is_over
    later(None, 3)
    assert stranger().press(code(bob)).group_id == group.pk


def test_one_number_written_in_two_ways_is_one(guess, stranger):
    guess(3, "+5215512345678")
    guess(2, "+525512345678")
    assert e164("+5215512345678") == "+525512345678"
    assert stranger("+5215512345678").is_over


def test_a_right_code_uses_up_no_try(stranger, code, bob):
    for _ in range(7):
        assert stranger().press(code(bob)).conference is not None
    assert (taken(tries.CALLERS), taken(tries.EVERYBODYS)) == (0, 0)


def test_what_cannot_be_a_code_counts_in_its_call_alone(stranger, code, bob, group):
    for _ in range(6):
        stranger().press("123").press("12345").press("1")
    assert taken(tries.CALLERS) == 0
    assert stranger().press(code(bob)).group_id == group.pk


WITHOUT_A_NUMBER = ["anonymous", "sip:a@example.com", "sip:b@example.com", "whatsapp:+12025550123", "", "+15550000000"]


def test_all_who_show_no_number_have_fifty_together(stranger, code, bob, wrong, fill):
    fill(tries.CALLERS, tries.who(None), tries.OF_ALL_WITHHELD - len(WITHOUT_A_NUMBER))
    for caller in WITHOUT_A_NUMBER:
        assert stranger(caller).press(wrong)
    for caller in WITHOUT_A_NUMBER:
        assert "too many wrong codes" in stranger(caller).words
    assert stranger("+12025550199").press(code(bob)).conference is not None


@pytest.fixture
def fill(db):
    """So many places are taken."""

    def fill(limit, who, count):
        for _ in range(count):
            take_place(limit, who, count, tries.HOUR)

    return fill


@pytest.fixture
def attacked(fill, stranger, wrong):
    """Two hundred wrong codes within the hour, the last one just now."""
    fill(tries.EVERYBODYS, tries.EVERYBODY, tries.OF_ALL - 1)
    stranger("+12025550111").press(wrong)


def test_after_two_hundred_no_code_is_taken_from_who_may_be_anybody(attacked, stranger, code, bob):
    assert stranger().heard == [NO_CODES] * 2
    assert not ours(Call).exists()


def test_nor_a_right_one_that_is_being_typed(stranger, code, bob, fill):
    call = stranger()
    fill(tries.EVERYBODYS, tries.EVERYBODY, tries.OF_ALL)
    assert call.press(code(bob)).heard == [NO_CODES] * 2
    assert taken(tries.CALLERS) == 0


def test_operators_are_told(attacked):
    assert "somebody may be guessing" in PaymentNotice.objects.get(pk="dialIn:codes").words


def test_they_are_not_told_one_wrong_code_before(fill, stranger, wrong):
    fill(tries.EVERYBODYS, tries.EVERYBODY, tries.OF_ALL - 2)
    stranger().press(wrong)
    assert not PaymentNotice.objects.exists()


def test_who_is_known_and_vouched_for_walks_in_as_before(attacked, phone, verify, bob, group):
    verify(bob)
    assert phone(BOBS).group_id == group.pk


def test_and_a_code_is_taken_from_who_is_vouched_for(attacked, phone, code, bob, group):
    assert phone("+12025550177").press(code(bob)).group_id == group.pk


def test_an_hour_later_all_is_as_before(attacked, stranger, code, bob, group):
    later(None, 61)
    assert stranger().press(code(bob)).group_id == group.pk


def test_it_holds_in_development_and_in_the_sandbox(settings, guess, stranger):
    assert not settings.PRODUCTION
    assert settings.OPEN_MODE
    guess(5)
    assert stranger().is_over


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("on_postgresql")
def test_of_many_at_once_no_more_than_five_are_looked_at(twilio_at_once, wrong, monkeypatch):
    looked, barrier = [], Barrier(12)
    from voice.dial_in import conversation

    monkeypatch.setattr(conversation, "whose_code", looked.append)

    def call():
        try:
            phone = Phone(twilio_at_once, "+12025550199").dial()
            barrier.wait(30)
            return phone.press(wrong).words
        finally:
            connections.close_all()

    with ThreadPoolExecutor(12) as pool:
        words = [each.result() for each in [pool.submit(call) for _ in range(12)]]
    assert len(looked) == 5
    assert sum("too many wrong codes" in each for each in words) >= 7


@pytest.fixture
def twilio_at_once():
    """Each request by a client of its own."""
    from urllib.parse import urlencode

    from tests.voice.conftest import sign

    def post(path, **params):
        headers = {"X-Twilio-Signature": sign(path, params)}
        form = "application/x-www-form-urlencoded"
        return Client().generic("POST", path, urlencode(params), content_type=form, headers=headers)

    return post


def test_counts_that_are_over_are_forgotten(guess):
    from users.limits import idle_limits

    guess(3)
    later(None, 61)
    LimitCount.objects.update(until=timezone.now())
    assert idle_limits(timezone.now()).count() == 2
