"""Whom a token signs in: a person is bound to one sign-in, by a verified email, at the first."""

import pytest

from tests.access.rows import all_rows
from tests.neighbours import ours
from tests.users.conftest import outcome
from users.models import User

THIEF = "auth0|thief"

pytestmark = pytest.mark.django_db


def test_the_first_sign_in_binds(issuer, ask, alice):
    ask(issuer.token())
    alice.refresh_from_db()
    assert (alice.oidc_issuer.rstrip("/"), alice.oidc_subject) == (issuer.url, "auth0|alice@example.com")


def test_both_spellings_of_the_issuer_are_one_sign_in(issuer, ask):
    assert [outcome(ask(issuer.token(iss=f"{issuer.url}{end}"))) for end in ("/", "", "/")] == [200, 200, 200]


def test_the_same_subject_of_another_issuer_is_somebody_else(issuer, ask, alice, bob):
    """As where the operator has changed the issuer."""
    User.objects.filter(pk=bob.pk).update(oidc_issuer="https://former.example", oidc_subject="auth0|1")
    assert outcome(ask(issuer.token(alice.email, sub="auth0|1"))) == 200
    assert outcome(ask(issuer.token("eve@example.com", sub="auth0|1"))) == 200  # from then on the sign-in alone counts
    assert User.objects.get(oidc_subject="auth0|1", oidc_issuer__startswith=issuer.url).pk == alice.pk


@pytest.mark.parametrize("verified", [False, None, "false", "True", "", "1", 1, 1.0, [True], {"yes": True}], ids=repr)
def test_an_email_must_be_exactly_verified(issuer, ask, sign_up, verified):
    before = all_rows()
    assert outcome(ask(issuer.token(email_verified=verified))) == (403, "email_not_verified")
    new = issuer.token("eve@example.com", email_verified=verified)
    assert outcome(sign_up(new)) == (403, "email_not_verified")
    assert all_rows() == before


def test_an_issuer_may_write_true_as_text(issuer, ask, sign_up):
    assert outcome(ask(issuer.token(email_verified="true"))) == 200
    assert outcome(sign_up(issuer.token("eve@example.com", email_verified="true"))) == 201


@pytest.mark.parametrize("verified", [True, False])
def test_a_token_without_an_email_binds_nobody(issuer, ask, sign_up, verified):
    """Who it is cannot be said, and so not either that their email must be verified first."""
    before, token = all_rows(), issuer.token(None, sub="auth0|1", email_verified=verified)
    assert outcome(ask(token)) == (403, "not_signed_up")
    assert outcome(sign_up(token)) == (403, "email_not_verified")
    assert all_rows() == before


@pytest.mark.parametrize("email", ["", "alice", b'"alice@example.com\\u0000"', b'"\\ud800@example.com"', "a" * 5000])
def test_an_odd_email_is_nobodys(issuer, ask, sign_up, email):
    before = all_rows()
    for answer in (ask(issuer.token(email, sub="auth0|1")), sign_up(issuer.token(email, sub="auth0|1"))):
        assert outcome(answer)[0] in (401, 403)
    assert all_rows() == before


@pytest.mark.parametrize(("length", "expected"), [(128, 201), (129, (403, "email_not_verified"))])
def test_an_email_that_no_persons_row_could_hold_counts_as_none(issuer, sign_up, length, expected):
    email = f"{'a' * 60}@{'b' * 60}.{'c' * (length - 122)}"
    assert len(email) == length
    token = issuer.token(email)
    assert outcome(sign_up(token, email if expected == 201 else "eve@example.com")) == expected


def test_another_sign_in_with_the_same_email_is_refused(issuer, ask, sign_up):
    ask(issuer.token())
    before = all_rows()
    assert outcome(ask(issuer.token(sub=THIEF))) == (403, "other_sign_in_bound")
    assert outcome(sign_up(issuer.token(sub=THIEF), "alice@example.com")) == (403, "other_sign_in_bound")
    assert all_rows() == before


def test_an_unbound_person_can_be_bound_anew(issuer, ask):
    ask(issuer.token())
    ours(User).update(oidc_issuer=None, oidc_subject=None)
    assert outcome(ask(issuer.token(sub="google|2"))) == 200
    assert outcome(ask(issuer.token())) == (403, "other_sign_in_bound")


def test_a_sub_of_another_issuer_is_another_sign_in(issuer, ask, thief, settings):
    ask(issuer.token())
    settings.OIDC_ISSUER = thief.url
    assert outcome(ask(thief.token())) == (403, "other_sign_in_bound")
    assert outcome(ask(thief.token("eve@example.com", sub="auth0|alice@example.com"))) == (403, "not_signed_up")


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "new@example.com"},
        {"email": "bob@example.com"},
        {"email": None},
        {"email_verified": False},
        {"email_verified": None},
        {"email": "new@example.com", "email_verified": False},
    ],
    ids=str,
)
def test_who_is_bound_is_known_whatever_became_of_the_email(issuer, ask, sign_up, alice, bob, claims):
    token = issuer.token(**{"sub": "auth0|alice@example.com", **claims})
    ask(issuer.token())
    before = all_rows()
    assert outcome(ask(token)) == 200
    again = sign_up(token, "alice@example.com")
    assert (again.status_code, again.json()["id"]) == (200, alice.pk)
    assert outcome(sign_up(token, "eve@example.com")) == (403, "email_mismatch")
    assert all_rows() == before


def test_a_new_email_in_the_token_still_finds_ones_own_account(issuer, ask, sign_up, alice):
    ask(issuer.token())
    token = issuer.token("new@example.com", sub="auth0|alice@example.com")
    answer = sign_up(token, "new@example.com")
    assert (answer.status_code, answer.json()["id"], answer.json()["email"]) == (200, alice.pk, "alice@example.com")


def test_a_sub_may_have_255_characters_and_differs_by_case(issuer, ask):
    assert outcome(ask(issuer.token(sub="s" * 255))) == 200
    assert outcome(ask(issuer.token(sub="S" * 255))) == (403, "other_sign_in_bound")


@pytest.mark.parametrize(
    ("known", "alike"),
    [
        ("kelly@example.com", "\u212aelly@example.com"),
        ("kelly@example.com", "\u212aELLY@EXAMPLE.COM"),
        ("sam@example.com", "\u017fam@example.com"),
        ("ian@example.com", "\u0131an@example.com"),
        ("ian@example.com", "\u0130an@example.com"),
        ("flo@example.com", "\ufb02o@example.com"),
        ("kelly@example.com", "\uff4belly@example.com"),
        ("kelly@example.com", "kelly@exam\u200dple.com"),
        ("eve@kiosk.example", "eve@\u212aiosk.example"),
    ],
)
def test_an_email_that_only_looks_alike_binds_nobody(issuer, api, known, alike, sign_up):
    User.objects.create(email=known, display_name="Known")
    before = list(ours(User).values_list())
    token = issuer.token(alike, sub=THIEF)
    assert outcome(api.get("/api/users", headers={"Authorization": f"Bearer {token}"})) == (403, "not_signed_up")
    for email in (alike, known):
        answer = sign_up(token, email)
        assert answer.status_code in (400, 403, 409) or answer.json()["email"] == alike
    assert list(User.objects.filter(email=known).values_list()) == before


def test_a_disabled_person_is_told_so(issuer, ask, sign_up, alice):
    User.objects.filter(pk=alice.pk).update(is_active=False)
    before = all_rows()
    assert outcome(ask(issuer.token())) == (403, "account_disabled")
    assert outcome(sign_up(issuer.token(), "alice@example.com")) == (403, "account_disabled")
    assert all_rows() == before


def test_a_bound_person_can_be_disabled_and_enabled(issuer, ask):
    for is_active, expected in ((True, 200), (False, (403, "account_disabled")), (True, 200)):
        ours(User).update(is_active=is_active)
        assert outcome(ask(issuer.token())) == expected


def test_somebody_new_signs_up_and_is_bound(issuer, api, sign_up):
    token = issuer.token("eve@example.com")
    assert outcome(api.get("/api/users", headers={"Authorization": f"Bearer {token}"})) == (403, "not_signed_up")
    answer = sign_up(token)
    assert (answer.status_code, answer.json()["displayName"]) == (201, "Eve")
    assert sign_up(token).status_code == 200
    assert outcome(sign_up(issuer.token("eve@example.com", sub=THIEF))) == (403, "other_sign_in_bound")
    assert ours(User).get().oidc_subject == "auth0|eve@example.com"


def test_somebody_known_by_email_is_bound_by_signing_up(issuer, sign_up, alice):
    answer = sign_up(issuer.token(), "Alice@EXAMPLE.com")
    assert (answer.status_code, answer.json()["id"], answer.json()["displayName"]) == (200, alice.pk, "Alice")
    assert outcome(sign_up(issuer.token(sub=THIEF), "alice@example.com")) == (403, "other_sign_in_bound")


@pytest.mark.parametrize("email", ["bob@example.com", "new@example.com"])
def test_nobody_signs_up_another(issuer, sign_up, bob, email):
    before = all_rows()
    assert outcome(sign_up(issuer.token("eve@example.com"), email)) == (403, "email_mismatch")
    assert all_rows() == before


def test_ones_own_email_may_be_written_in_another_case(issuer, sign_up):
    assert sign_up(issuer.token("Eve@Example.com"), "eve@example.COM").status_code == 201


def test_who_was_deleted_signs_up_anew(issuer, api, sign_up):
    token = issuer.token("eve@example.com")
    first = sign_up(token).json()["id"]
    assert api.delete(f"/api/users/{first}", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert outcome(api.get("/api/users", headers={"Authorization": f"Bearer {token}"})) == (403, "not_signed_up")
    assert sign_up(token).status_code == 201
