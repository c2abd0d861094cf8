import pytest

from tests.conftest import person
from users.models import User


def names(answer):
    return [each["displayName"] for each in answer.json()]


@pytest.mark.alone
def test_everybody_is_listed_in_the_order_that_they_came(api, alice, bob, carol):
    assert names(api.get("/api/users")) == ["Alice", "Bob", "Carol"]


def test_the_list_takes_one_query(api, alice, bob, carol, django_assert_num_queries):
    with django_assert_num_queries(1):
        api.get("/api/users")


def test_search_finds_part_of_a_name_without_case(api, alice, bob):
    assert names(api.get("/api/users?search=LIC")) == ["Alice"]


def test_search_finds_a_whole_email_without_case(api, alice, bob):
    assert names(api.get("/api/users?search=BOB@example.com")) == ["Bob"]
    assert names(api.get("/api/users?search=bob@example")) == []


def test_search_takes_wildcards_literally(api, alice):
    person("100% Ann_e")
    assert names(api.get("/api/users?search=%25")) == ["100% Ann_e"]
    assert names(api.get("/api/users?search=_")) == ["100% Ann_e"]


@pytest.mark.parametrize("search", ["%00", "x" * 129])
def test_a_search_that_cannot_be_is_refused(api, db, search):
    assert api.get(f"/api/users?search={search}").status_code == 400


@pytest.mark.alone
def test_an_empty_search_finds_everybody(api, alice, bob):
    assert names(api.get("/api/users?search=")) == ["Alice", "Bob"]


@pytest.mark.parametrize("search", ["José", "Jose\u0301", "JOSÉ", "jose\u0301", "OSÉ M"])
@pytest.mark.parametrize("stored", ["José María", "Jose\u0301 Mari\u0301a"])
def test_search_finds_accented_letters_in_either_form_and_case(api, db, stored, search):
    User.objects.create(email="jose@example.com", display_name=stored)
    assert names(api.get("/api/users", {"search": search})) == [stored]


@pytest.mark.parametrize("search", ["%", "_", "\\", "é%"])
def test_search_takes_wildcards_literally_beside_accents(api, db, search):
    User.objects.create(email="jose@example.com", display_name="Jose\u0301")
    assert names(api.get("/api/users", {"search": search})) == []
