"""First sign-ins and sign-ups at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from tests.conftest import Client, person
from tests.users.conftest import outcome
from tests.voice.conferences import test_event_races as waiting
from users.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("on_postgresql")]


def at_once(*calls):
    ready = Barrier(len(calls))

    def run(call):
        try:
            ready.wait()
            return outcome(call())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def request(method, path, token, body=None):
    headers = {"Authorization": f"Bearer {token}"}
    return lambda: getattr(Client(), method)(path, body, format="json", headers=headers)


def test_of_two_first_sign_ins_one_gets_in(issuer):
    for number in range(6):
        user = person(f"P{number}")
        path = f"/api/users/{user.pk}/accountBalance"
        tokens = [issuer.token(user.email, sub=f"auth0|{number}{letter}") for letter in "ab"]
        assert set(at_once(*(request("get", path, token) for token in tokens))) == {200, (403, "other_sign_in_bound")}
        user.refresh_from_db()
        assert user.oidc_subject in {f"auth0|{number}a", f"auth0|{number}b"}


def test_two_first_sign_ins_by_one_token_both_get_in(issuer):
    for number in range(4):
        user = person(f"P{number}")
        call = request("get", f"/api/users/{user.pk}/accountBalance", issuer.token(user.email))
        assert at_once(call, call) == [200, 200]


def test_a_sign_in_that_becomes_anothers_meanwhile_binds_nobody_else(issuer):
    alice, bob, answers = person("Alice"), person("Bob"), []
    call = request("get", f"/api/users/{alice.pk}/accountBalance", issuer.token(alice.email, sub="auth0|1"))
    waiting.at_once(
        lambda: User.objects.filter(pk=bob.pk).update(oidc_issuer=issuer.url, oidc_subject="auth0|1"),
        lambda: answers.append(outcome(call())),
    )
    assert answers == [(403, "other_sign_in_bound")]
    assert User.objects.get(pk=alice.pk).oidc_subject is None


def test_two_sign_ups_by_one_token_make_one_person(issuer):
    for number in range(4):
        email = f"new{number}@example.com"
        call = request("post", "/api/users", issuer.token(email), {"email": email})
        assert sorted(at_once(call, call)) == [200, 201]
        assert User.objects.filter(email=email).count() == 1


def test_of_two_sign_ups_with_one_email_one_gets_in(issuer):
    for number in range(4):
        email = f"new{number}@example.com"
        tokens = [issuer.token(email, sub=f"auth0|{number}{letter}") for letter in "ab"]
        calls = [request("post", "/api/users", token, {"email": email}) for token in tokens]
        assert set(at_once(*calls)) == {201, (403, "other_sign_in_bound")}
        assert User.objects.filter(email=email).count() == 1
