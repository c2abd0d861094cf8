import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.access.rows import all_rows
from tests.doubles.issuer import RsaKey, base64url, rsa_key
from tests.users.conftest import outcome
from tests.users.sign_in.forgeries import FORGERIES
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_token_is_refused_and_writes_nothing(issuer, ask, forge):
    before = all_rows()
    assert outcome(ask(forge(issuer))) == (401, "token_invalid")
    assert all_rows() == before


@pytest.mark.alone
@pytest.mark.parametrize("exp", [lambda now: now - 60, lambda now: now - 60.5, 0, -1])
def test_a_token_that_has_run_out_says_so(issuer, ask, exp):
    assert outcome(ask(issuer.token(exp=exp))) == (401, "token_expired")
    assert not User.objects.exclude(oidc_subject=None).exists()


def test_true_is_no_time(issuer, ask):
    assert outcome(ask(issuer.token(exp=True))) in {(401, "token_invalid"), (401, "token_expired")}


@pytest.mark.parametrize(("alg", "use"), [("ES256", "sig"), ("RS512", "sig"), ("RS256", "enc"), ("RSA-OAEP", "enc")])
def test_a_key_serves_only_what_it_is_published_for(issuer, ask, alg, use):
    other = rsa_key("other")
    issuer.published = [issuer.keys[0].jwk(), other.jwk(alg=alg, use=use)]
    assert outcome(ask(issuer.token(key=other))) == (401, "token_invalid")
    assert outcome(ask(issuer.token())) == 200


def test_a_key_that_is_short_enough_to_be_guessed_signs_nobody_in(issuer, ask):
    """https://www.rfc-editor.org/rfc/rfc7518#section-3.3"""
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # which is what is tried
    weak = RsaKey("weak", short)
    issuer.published = [issuer.keys[0].jwk(), weak.jwk()]
    assert outcome(ask(issuer.token(key=weak))) == (401, "token_invalid")
    assert outcome(ask(issuer.token())) == 200


@pytest.mark.parametrize("kid", ["rs-1", "thief"])
def test_a_key_that_a_token_brings_along_is_not_looked_at(issuer, ask, thief, kid):
    key = thief.keys[0]
    keys, certificate = f"{thief.url}/.well-known/jwks.json", base64url(key.pem())
    for header in ({"jku": keys}, {"x5u": keys}, {"jwk": key.jwk()}, {"jwk": key.jwk(kid=kid)}, {"x5c": [certificate]}):
        assert outcome(ask(issuer.token(key=key, header={**header, "kid": kid}))) == (401, "token_invalid")
    assert thief.requests == []


def test_an_issuer_that_a_token_names_is_not_asked(issuer, ask, thief):
    assert outcome(ask(thief.token())) == (401, "token_invalid")
    assert thief.requests == []
