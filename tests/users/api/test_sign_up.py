from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from rest_framework.test import APIClient

from tests.neighbours import ours
from tests.shapes import ACCOUNT
from users.models import User

PAYLOAD = {
    "sub": "auth0|5c0",
    "nickname": "Eve",
    "name": "eve@example.com",
    "picture": "https://s.gravatar.com/avatar/1.png",
    "updated_at": "2019-05-01T10:00:00.000Z",
    "email": "eve@example.com",
    "email_verified": True,
    "iss": "https://example.auth0.com/",
}

pytestmark = pytest.mark.django_db


def test_a_whole_identity_token_payload_makes_an_account(api):
    answer = api.post("/api/users", PAYLOAD)
    assert answer.status_code == 201
    assert list(answer.json()) == ACCOUNT
    assert (answer.json()["displayName"], answer.json()["avatar"]) == ("Eve", PAYLOAD["picture"])


def test_a_new_account_has_the_defaults_that_the_clients_read(api):
    account = api.post("/api/users", {"email": "eve@example.com"}).json()
    assert account["accountBalance"] == "0.00"
    assert account["callStatus"] is False
    assert account["last4"] is None
    assert account["billingSubcription"] == "free"


def test_the_stripe_customer_is_open_in_the_answer(api):
    assert api.post("/api/users", {"email": "eve@example.com"}).json()["stripeId"].startswith("cus_")


def test_someone_known_is_answered_unchanged(api, alice):
    answer = api.post("/api/users", {"email": "ALICE@example.com", "nickname": "Other"})
    assert answer.status_code == 200
    assert answer.json()["id"] == alice.pk
    assert answer.json()["displayName"] == "Alice"


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ({"nickname": "Nick", "displayName": "Shown"}, "Nick"),
        ({"nickname": None, "displayName": "Shown"}, "Shown"),
        ({"displayName": "  spaced\u200d "}, "  spaced\u200d "),
        ({}, "eve"),
    ],
)
def test_the_name_comes_from_the_first_that_is_given(api, sent, name):
    assert api.post("/api/users", {"email": "eve@example.com", **sent}).json()["displayName"] == name


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "email"),
        ({"email": None}, "email"),
        ({"email": "not an address"}, "email"),
        ({"email": f"{'a' * 60}@{'b' * 60}.{'c' * 20}.example"}, "email"),
        ({"email": "e@example.com", "nickname": "\u200b \u3164"}, "nickname"),
        ({"email": "e@example.com", "nickname": "n" * 129}, "nickname"),
        ({"email": "e@example.com", "nickname": "a\x00b"}, "nickname"),
        ({"email": "e@example.com", "nickname": ["list"]}, "nickname"),
        ({"email": "e@example.com", "picture": "p" * 257}, "picture"),
    ],
)
def test_bad_input_is_refused_by_name_and_makes_nobody(api, sent, field):
    answer = api.post("/api/users", sent)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not ours(User).exists()


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "multipart"])
def test_json_form_and_multipart_are_read_alike(kind):
    client = APIClient()
    if kind == "multipart":
        answer = client.post("/api/users", {"email": "eve@example.com", "nickname": "Eve"}, format="multipart")
    else:
        body = {
            "application/json": '{"email": "eve@example.com", "nickname": "Eve"}',
            "application/x-www-form-urlencoded": "email=eve%40example.com&nickname=Eve",
        }
        answer = client.post("/api/users", body[kind], content_type=kind)
    assert (answer.status_code, answer.json()["displayName"]) == (201, "Eve")


def test_emails_that_the_database_folds_otherwise_do_not_break_it(api):
    first = api.post("/api/users", {"email": "eve@BÜCHER.example"})
    again = api.post("/api/users", {"email": "EVE@BÜCHER.example"})
    assert (first.status_code, again.status_code) == (201, 200)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_person_with_one_customer(on_postgresql):
    def sign_up(number: int) -> int:
        try:
            return (
                APIClient()
                .post("/api/users", {"email": "Eve@example.com" if number % 2 else "eve@EXAMPLE.com"})
                .status_code
            )
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(sign_up, range(8)))
    assert statuses == [200] * 7 + [201]
    assert ours(User).get().stripe_id
