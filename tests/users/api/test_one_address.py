"""Addresses that no mail server tells apart are one person's."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections
from rest_framework.test import APIClient

from users.models import User
from users.sign_in.local_issuer import local_token

SPELLED = ["eve@münchen.de", "eve@xn--mnchen-3ya.de", "EVE@mu\u0308nchen.de", "eve@ｍünchen.de"]


@pytest.mark.django_db
@pytest.mark.parametrize("again", SPELLED)
@pytest.mark.parametrize("first", SPELLED)
def test_who_signs_up_again_is_the_same_person_and_keeps_the_address_as_it_was(api, first, again):
    new = api.post("/api/users", {"email": first})
    known = api.post("/api/users", {"email": again})
    assert (new.status_code, known.status_code) == (201, 200)
    assert known.json() == new.json()
    assert new.json()["email"] == first


@pytest.mark.django_db
@pytest.mark.parametrize("search", SPELLED)
def test_a_search_finds_the_address_in_each_form(api, search):
    eve = api.post("/api/users", {"email": SPELLED[0]}).json()
    assert [each["id"] for each in api.get("/api/users", {"search": search}).json()] == [eve["id"]]


@pytest.mark.django_db
@pytest.mark.parametrize("signed", SPELLED)
def test_who_signs_in_with_another_form_is_the_person(api, sign_in, signed):
    eve = User.objects.create(email=SPELLED[0], display_name="Eve")
    token = local_token(signed)
    answer = api.post("/api/users", {"email": signed}, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["id"]) == (200, eve.pk)


@pytest.mark.django_db
def test_a_changed_address_is_found_by_its_new_one_alone(api):
    eve = User.objects.create(email="eve@example.com", display_name="Eve")
    User.objects.filter(pk=eve.pk).update(email=SPELLED[0])
    assert User.objects.with_email(SPELLED[1]).get() == eve
    eve.email = "eve@straße.de"
    eve.save(update_fields=["email"])
    assert not User.objects.with_email(SPELLED[1]).exists()
    assert User.objects.with_email("eve@xn--strae-oqa.de").get() == eve


@pytest.mark.django_db
def test_who_was_inserted_by_others_is_found_without_a_key(api):
    with connection.cursor() as cursor:
        cursor.execute("""INSERT INTO users (email, "displayName") VALUES ('Raw@example.com', 'Raw')""")
    assert api.post("/api/users", {"email": "raw@EXAMPLE.com"}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_two_forms_at_once_make_one_person(on_postgresql):
    def sign_up(number: int) -> int:
        try:
            return APIClient().post("/api/users", {"email": SPELLED[number % 4]}).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(sign_up, range(8))) == [200] * 7 + [201]
