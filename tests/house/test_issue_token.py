"""Trying sign-in without a provider: `make run SIGN_IN=on` and `manage.py issue_token`."""

import pytest
from django.core.management import CommandError, call_command

from users.sign_in.local_issuer import local_token


def issue(capsys, *arguments):
    call_command("issue_token", *arguments)
    said = capsys.readouterr()
    return said.out.strip(), said.err


def get(client, path, token):
    return client.get(path, headers={"Authorization": f"Bearer {token}"})


def test_its_token_signs_in_the_person_with_this_email(client, alice, sign_in, capsys):
    token, warnings = issue(capsys, alice.email)
    answer = get(client, f"/api/users/{alice.pk}", token)
    assert (answer.status_code, answer.json()["email"], warnings) == (200, alice.email, "")


def test_the_same_email_is_the_same_sign_in_however_it_is_written(client, alice, sign_in, capsys):
    for email in (alice.email, alice.email.upper()):
        assert get(client, f"/api/users/{alice.pk}", issue(capsys, email)[0]).status_code == 200


def test_whoever_has_signed_up_is_known_however_their_email_is_written(alice, sign_in, capsys):
    assert issue(capsys, alice.email.upper())[1] == ""


def test_it_says_that_nobody_has_signed_up_yet(db, sign_in, capsys):
    assert "/api/users" in issue(capsys, "new@example.com")[1]


def test_it_says_that_open_mode_asks_for_no_token(alice, capsys):
    assert "SIGN_IN=on" in issue(capsys, alice.email)[1]


def test_its_tokens_expire(client, alice, sign_in):
    answer = get(client, f"/api/users/{alice.pk}", local_token(alice.email, seconds=-60))
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


def test_its_tokens_are_worth_nothing_in_production(client, alice, sign_in, settings):
    settings.PRODUCTION = True
    answer = get(client, f"/api/users/{alice.pk}", local_token(alice.email))
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


def test_its_tokens_are_worth_nothing_beside_a_real_issuer_alone(client, alice, sign_in, settings):
    settings.OIDC_ISSUER, settings.SIGN_IN = "https://family.eu.auth0.com", False
    answer = get(client, f"/api/users/{alice.pk}", local_token(alice.email))
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


def test_another_servers_tokens_are_worth_nothing(client, alice, sign_in, settings):
    token = local_token(alice.email)
    settings.SECRET_KEY = "another server's"
    assert get(client, f"/api/users/{alice.pk}", token).status_code == 401


def test_it_stays_out_of_production(db, settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="development"):
        call_command("issue_token", "a@example.com")


@pytest.mark.parametrize(
    "arguments", [["nobody"], ["a@example.com", "--hours", "0"], ["a@example.com", "--hours=9999"]]
)
def test_what_makes_no_token_is_refused(db, arguments):
    with pytest.raises(CommandError):
        call_command("issue_token", *arguments)
