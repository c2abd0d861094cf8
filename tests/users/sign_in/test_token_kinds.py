"""What comes in a token's place, and is told in words: clients send it when something else has gone wrong."""

import pytest

from tests.doubles.issuer import Secret, base64url, write
from tests.users.conftest import outcome

pytestmark = pytest.mark.django_db

NONE, OPAQUE = "text of a variable that holds none", "opaque"
JWE = ".".join([base64url(b'{"alg":"RSA-OAEP","enc":"A256GCM"}'), *["AAAA"] * 4])
IN_LINES = ".".join([base64url(b'{\n"alg":"RSA-OAEP","enc":"A256GCM"\n}'), *["AAAA"] * 4])
CAME = {
    **dict.fromkeys(("undefined", "null", "None", "nil", "NaN", "true", "false"), NONE),
    **dict.fromkeys(("[object Object]", "[object Promise]"), NONE),
    "": "no token behind the word Bearer",
    "0b79bab50daca910b000d4f1a2b675d604257e42": OPAQUE,
    "v2.local.c2VjcmV0": OPAQUE,
    "eyJhbGciOiJSUzI1NiJ9.e30": OPAQUE,
    "a.b.c.d.e": OPAQUE,
    JWE: "encrypted (a JWE, five parts)",
    IN_LINES: "encrypted (a JWE, five parts)",
    '"eyJhbGciOiJSUzI1NiJ9.e30.AA"': "quotes or brackets",
    "'eyJhbGciOiJSUzI1NiJ9.e30.AA'": "quotes or brackets",
    "<token>": "quotes or brackets",
    "{token}": "quotes or brackets",
    "eyJhbGciOiJSUzI1NiJ9.e30.AA,eyJhbGciOiJSUzI1NiJ9.e30.AA": "more than one token",
    "Bearer eyJhbGciOiJSUzI1NiJ9.e30.AA": "more than one token",
}


@pytest.mark.parametrize(("token", "said"), CAME.items())
def test_what_is_no_signed_token_is_called_what_it_is(issuer, ask, token, said):
    answer = ask(token)
    assert outcome(answer) == (401, "token_invalid")
    assert said in answer.json()["detail"]
    assert answer["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize(
    ("claims", "said"), [({"aud": "somebody-else"}, "audience"), ({"iss": "https://thief.example/"}, "another issuer")]
)
def test_a_token_for_somebody_else_says_so(issuer, ask, claims, said):
    answer = ask(issuer.token(**claims))
    assert outcome(answer) == (401, "token_invalid")
    assert said in answer.json()["detail"]


def test_a_token_signed_by_a_shared_secret_says_what_is_taken(issuer, ask):
    answer = ask(issuer.token(key=Secret("rs-1", b"s" * 32)))
    assert (outcome(answer), "RS256 or ES256" in answer.json()["detail"]) == ((401, "token_invalid"), True)


def test_nothing_of_the_token_is_given_back(issuer, ask):
    assert b"sesame" not in ask("sesame").content


def test_a_header_may_be_written_with_spaces_and_in_lines(issuer, ask):
    for header in (b'{ "alg": "RS256", "kid": "rs-1" }', b'{\n"alg": "RS256",\n"kid": "rs-1"\n}'):
        assert outcome(ask(write(header, issuer.claims(), issuer.keys[0]))) == 200
    assert outcome(ask(f"  {issuer.token()} ")) == 200
