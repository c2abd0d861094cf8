"""Signing in by bearer token: what is believed, and where a token is looked for."""

import pytest

from tests.conftest import person
from tests.doubles.issuer import HOUR
from tests.users.conftest import outcome
from users.models import User

pytestmark = pytest.mark.django_db


TRUE = {
    "as it is": {},
    "the issuer with its final slash": {"iss": "{url}/"},
    "the issuer without": {"iss": "{url}"},
    "a list of one audience": {"aud": ["voicechat"]},
    "a list of audiences": {"aud": ["https://other.example", "voicechat"]},
    "run out a moment ago": {"exp": lambda now: now - 15},
    "issued in a moment": {"iat": lambda now: now + 20},
    "valid in a moment": {"nbf": lambda now: now + 20},
    "valid since an hour": {"nbf": lambda now: now - HOUR},
    "an end between seconds": {"exp": lambda now: now + 0.5 + HOUR},
    "issued between seconds": {"iat": lambda now: now - 0.5},
    "valid since between seconds": {"nbf": lambda now: now - 0.5},
    "the email in another case": {"email": "ALICE@Example.COM"},
}


@pytest.mark.parametrize("claims", TRUE.values(), ids=TRUE)
def test_a_true_token_signs_in(issuer, ask, claims):
    named = {"iss": claims["iss"].format(url=issuer.url)} if "iss" in claims else {}
    assert outcome(ask(issuer.token(**{**claims, **named}))) == 200


def test_who_calls_is_one_query(issuer, api, alice, ask, django_assert_num_queries):
    User.objects.filter(pk=alice.pk).update(stripe_id="cus_1")
    ask(issuer.token())
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with django_assert_num_queries(2):  # and the balance
        assert outcome(ask(issuer.token())) == 200
    body = {"userStripeId": "cus_1"}
    with django_assert_num_queries(3):  # and the person with the customer, and what the sandbox has charged
        assert api.post("/api/billing/userStripeCharges", body, headers=headers).status_code == 200


def test_a_token_that_ended_half_a_minute_ago_has_run_out(issuer, ask):
    assert outcome(ask(issuer.token(exp=lambda now: now - 30))) == (401, "token_expired")


def test_one_of_several_audiences_is_enough(issuer, ask, settings):
    settings.OIDC_AUDIENCE = ["ios-app", "voicechat", "react-page"]
    assert outcome(ask(issuer.token(aud=["react-page", "https://issuer.example/userinfo"]))) == 200
    assert outcome(ask(issuer.token(aud="ios-app"))) == 200
    assert outcome(ask(issuer.token(aud="somebody-else"))) == (401, "token_invalid")


def test_an_elliptic_key_signs_as_well(issuer, ask):
    assert outcome(ask(issuer.token(key=issuer.keys[1]))) == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_without_case(issuer, ask, scheme):
    assert outcome(ask(issuer.token(), scheme)) == 200


def test_without_a_key_id_the_only_key_is_meant(issuer, ask):
    issuer.keys = issuer.keys[:1]
    assert outcome(ask(issuer.token(header={"kid": None}))) == 200


@pytest.mark.parametrize(("count", "kid"), [(1, "other"), (2, None), (2, "other")])
def test_a_key_that_is_not_named_or_not_there_is_none(issuer, ask, count, kid):
    issuer.keys = issuer.keys[:count]
    assert outcome(ask(issuer.token(header={"kid": kid}))) == (401, "token_invalid")
    assert outcome(ask(issuer.token())) == 200


@pytest.mark.parametrize("scheme", ["Basic", "Token", "JWT", "Digest"])
def test_another_scheme_is_no_sign_in(issuer, ask, scheme):
    status, code = outcome(ask(issuer.token(), scheme))
    assert (status, code) in {(401, "not_authenticated"), (401, "token_invalid")}


def test_nobody_is_told_to_sign_in(issuer, ask):
    assert outcome(ask(None)) == (401, "not_authenticated")


def test_a_token_counts_in_no_other_place(issuer, api, alice):
    path = f"/api/users/{alice.pk}/accountBalance?access_token={issuer.token()}"
    api.cookies["access_token"] = api.cookies["Authorization"] = issuer.token()
    assert outcome(api.get(path)) == (401, "not_authenticated")


def test_the_operators_browser_is_nobody_to_the_api(issuer, api, alice):
    api.force_login(person("Root", is_staff=True))
    assert outcome(api.get("/api/users")) == (401, "not_authenticated")


def test_a_browser_may_ask_without_a_token_what_it_may_ask(issuer, api):
    wish = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    answer = api.options("/api/users", headers={**wish, "Access-Control-Request-Headers": "authorization"})
    assert (answer.status_code, "authorization" in answer["Access-Control-Allow-Headers"]) == (200, True)
    refused = api.get("/api/users", headers={"Origin": "https://app.example"})
    assert (refused.status_code, "Access-Control-Allow-Origin" in refused) == (401, True)


def test_open_mode_looks_at_no_token(ask):
    answer = ask("not a token")
    assert (answer.status_code, answer["X-Access-Mode"]) == (200, "open")


def test_where_sign_in_is_on_no_answer_calls_itself_open(issuer, ask):
    assert "X-Access-Mode" not in ask(issuer.token())
    assert "X-Access-Mode" not in ask(None)
