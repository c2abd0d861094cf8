"""A token that was verified before is taken for as long as it would be verified again, and no longer."""

import time

import jwt
import pytest

from tests.users.conftest import outcome
from users.sign_in import remembered
from users.sign_in.remembered import Remembered, Verified
from users.sign_in.tokens import LEEWAY

pytestmark = pytest.mark.django_db


def test_its_signature_is_checked_once(issuer, ask, monkeypatch):
    token = issuer.token()
    assert outcome(ask(token)) == 200
    monkeypatch.setattr(jwt, "decode", None)  # whoever checks it fails
    assert outcome(ask(token)) == 200


def test_when_it_has_run_out_it_is_refused(issuer, ask):
    token = issuer.token(exp=int(time.time()) + 2 - LEEWAY)
    assert outcome(ask(token)) == 200
    time.sleep(2.1)
    assert outcome(ask(token)) == (401, "token_expired")


def test_one_that_was_cut_is_another(issuer, ask):
    token = issuer.token()
    assert outcome(ask(token)) == 200
    assert outcome(ask(token[:-4])) == (401, "token_invalid")


def test_so_many_are_remembered_and_the_first_are_forgotten_first(monkeypatch):
    monkeypatch.setattr(remembered, "MOST", 3)
    key, known = object(), Remembered()
    for number in range(5):
        who = f"person {number}"
        known.add(b"%d" % number, Verified(who, time.time() + 60, key, lambda: key))
    assert [known.identity(b"%d" % number) for number in range(5)] == [None, None, "person 2", "person 3", "person 4"]
