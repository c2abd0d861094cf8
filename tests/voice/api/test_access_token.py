import time

import jwt
import pytest

from voice.telephony.sandbox_telephony import secret

PATH = "/api/voice/accessToken"


def claims(token):
    return jwt.decode(token, secret("key secret"), algorithms=["HS256"])


def test_the_bare_token_lets_an_identity_make_and_take_calls(api, db):
    answer = api.get(f"{PATH}?identity=u_12")
    assert answer["Content-Type"] == "text/plain"
    grants = claims(answer.content.decode())["grants"]
    assert grants["identity"] == "u_12"
    assert grants["voice"]["incoming"] == {"allow": True}
    assert set(grants["voice"]) == {"incoming", "outgoing", "push_credential_sid"}


def test_it_is_a_twilio_token_for_an_hour(api, db):
    token = api.get(PATH).content.decode()
    assert jwt.get_unverified_header(token)["cty"] == "twilio-fpa;v=1"
    assert claims(token)["exp"] - time.time() == pytest.approx(3600, abs=5)


def test_a_clock_that_is_behind_ours_by_a_minute_takes_the_token(api, db):
    token = api.get(PATH).content.decode()
    assert time.time() - claims(token)["nbf"] == pytest.approx(60, abs=5)


def test_without_an_identity_everybody_gets_a_fresh_one(api, db):
    identities = {claims(api.get(PATH).content.decode())["grants"]["identity"] for _ in range(3)}
    assert len(identities) == 3


def test_a_disabled_account_gets_none(api, bob):
    bob.is_active = False
    bob.save()
    answer = api.get(f"{PATH}?identity=u_{bob.pk}")
    assert (answer.status_code, answer.json()["code"]) == (403, "account_disabled")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "application/json"),
        ("application/json;q=0.9", "application/json"),
        ("application/json, text/plain, */*", "text/plain"),
        ("application/json, text/plain", "text/plain"),
        ("application/json, text/*", "text/plain"),
        ("application/json, */*", "text/plain"),
        ("*/*", "text/plain"),
        ("text/html", "text/plain"),
    ],
)
def test_json_is_for_those_who_accept_only_json(api, db, accept, kind):
    assert api.get(PATH, headers={"Accept": accept})["Content-Type"].partition(";")[0] == kind


def test_as_json_it_names_the_identity(api, db):
    answer = api.get(f"{PATH}?identity=u_12", headers={"Accept": "application/json"}).json()
    assert answer["identity"] == claims(answer["token"])["grants"]["identity"] == "u_12"


@pytest.mark.parametrize("identity", ["a b", "a-b", "x" * 122, "%C3%A9", "a%0A", "%00"])
def test_another_identity_is_refused(api, db, identity):
    assert api.get(f"{PATH}?identity={identity}").status_code == 400


def test_a_token_is_not_kept(api, db):
    for accept in ("*/*", "application/json"):
        assert api.get(PATH, headers={"Accept": accept})["Cache-Control"] == "no-store"
