"""Codes that are typed, and asked for, at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from rest_framework.test import APIClient

from tests.neighbours import ours
from users.models import PendingVerification, VerifiedNumber
from users.verification import services

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("on_postgresql")]


def together(work, count):
    """So many answers: each has come before any is given."""
    ready = Barrier(count, timeout=20)

    def one(number):
        ready.wait()
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_of_eight_wrong_ones_at_once_five_are_compared(
    twilio_verify, twilio_double, start, type_in, alice, monkeypatch
):
    start(alice)
    compared = Barrier(5, timeout=20)
    monkeypatch.setattr(services, "failpoint", lambda _: compared.wait())
    answers = together(lambda _: type_in(alice, "000000", client=APIClient()).status_code, 8)
    assert sorted(answers) == [400] * 5 + [410] * 3
    assert [each["checked"] for each in twilio_double.verifications.values()] == [5]


def test_the_right_code_twice_at_once_verifies_once(service, start, type_in, code, alice, monkeypatch):
    start(alice)
    right, both = code(alice), Barrier(2, timeout=20)
    monkeypatch.setattr(services, "failpoint", lambda _: both.wait())
    assert together(lambda _: type_in(alice, right, client=APIClient()).status_code, 2) == [200, 200]
    assert ours(VerifiedNumber).count() == 1
    assert not ours(PendingVerification).exists()


def test_of_six_codes_asked_for_at_once_three_are_sent(twilio_verify, twilio_double, start, alice):
    answers = together(lambda _: start(alice, client=APIClient()).status_code, 6)
    assert sorted(answers) == [202] * 3 + [429] * 3
    assert [each["sent"] for each in twilio_double.verifications.values()] == [3]
