"""What one person may, counted in the database: for all processes, and beyond the end of an account."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.db import connections
from django.test import Client as Browser
from django.utils import timezone

from tests.access.rows import all_rows
from tests.neighbours import ours
from users.limits import Full, Place, give_back, idle_limits, is_full, keyed, of_person, take_place, take_places
from users.models import User

pytestmark = pytest.mark.django_db


def test_a_place_that_is_given_back_is_free():
    first = take_place("tries", "somebody", 1, 60)
    assert isinstance(take_place("tries", "somebody", 1, 60), Full)
    give_back(first)
    assert isinstance(take_place("tries", "somebody", 1, 60), Place)


def test_one_limit_is_full_and_another_of_the_same_person_is_not():
    take_place("tries", "somebody", 1, 60)
    take_place("others", "somebody", 2, 60)
    asked = (("tries", 1), ("others", 2), ("none", 1))
    assert [is_full(limit, "somebody", places) for limit, places in asked] == [True, False, False]
    assert not is_full("tries", "somebody else", 1)


def test_what_is_given_back_twice_is_one_place():
    first, _ = (take_place("tries", "somebody", 2, 60) for _ in range(2))
    for _ in range(2):
        give_back(first)
    answers = [take_place("tries", "somebody", 2, 60) for _ in range(2)]
    assert [type(each) for each in answers] == [Place, Full]


@pytest.mark.parametrize("lengths", [(60, 3600), (3600, 60)])
@pytest.mark.parametrize(("places", "wait"), [(2, 60), (1, 3600)])
def test_who_waits_is_told_when_a_place_is_free(lengths, places, wait):
    """Also where there are fewer places than were taken: a setting was lowered."""
    for seconds in lengths:
        take_place("tries", "somebody", 2, seconds)
    assert wait - 10 < take_place("tries", "somebody", places, 60).wait <= wait


def test_a_place_is_free_again_when_its_time_is_over(monkeypatch):
    place = take_place("tries", "somebody", 1, 60)
    for moment, kind in ((place.until - 1, Full), (place.until, Place)):
        monkeypatch.setattr("users.limits.time.time", lambda moment=moment: moment)
        assert isinstance(take_place("tries", "somebody", 1, 60), kind)


def test_of_several_who_are_counted_none_loses_a_place_where_another_has_none_left():
    take_place("tries", "the customer", 1, 3600)
    take_place("tries", "somebody", 1, 60)
    full = take_places("tries", ["somebody else", "the customer", "somebody"], 1, 60)
    assert 3590 < full.wait <= 3600
    assert isinstance(take_place("tries", "somebody else", 1, 60), Place)


def test_one_limit_leaves_another_alone():
    take_place("tries", "somebody", 1, 60)
    assert isinstance(take_place("invitations", "somebody", 1, 60), Place)


def test_who_deletes_themself_and_signs_up_again_finds_their_count_as_it_was(issuer, api, settings):
    settings.THROTTLE_SIGN_UP = (2, 3600)
    headers = {"Authorization": f"Bearer {issuer.token('eve@example.com', sub='auth0|eve')}"}

    def sign_up(**extra):
        return api.post("/api/users", {"email": "eve@example.com"}, headers=headers, **extra)

    assert sign_up().status_code == 201
    assert api.delete(f"/api/users/{ours(User).get().pk}", headers=headers).status_code == 200
    assert sign_up(REMOTE_ADDR="192.0.2.7").status_code == 201
    assert sign_up(REMOTE_ADDR="192.0.2.8").status_code == 429


def test_newcomers_at_one_address_do_not_stand_in_each_others_way(issuer, api, settings):
    settings.THROTTLE_SIGN_UP = (1, 3600)
    for name in ("eve", "mallory", "trudy"):
        email = f"{name}@example.com"
        headers = {"Authorization": f"Bearer {issuer.token(email, sub=name)}"}
        assert api.post("/api/users", {"email": email}, headers=headers).status_code == 201


def test_what_is_counted_names_nobody(issuer, api, settings):
    settings.THROTTLE_SIGN_UP = (5, 3600)
    headers = {"Authorization": f"Bearer {issuer.token('eve@example.com', sub='auth0|eve')}"}
    api.post("/api/users", {"email": "eve@example.com"}, headers=headers)
    api.delete(f"/api/users/{ours(User).get().pk}", headers=headers)
    counts = str(all_rows()["limitCounts"])
    assert counts != "[]"
    assert not any(word in counts for word in ("auth0", "eve", "example", "127.0.0.1", issuer.url))


def test_who_signs_in_is_counted_by_their_sign_in_and_who_does_not_by_their_email():
    one, other, another = (User(email=f"{name}@example.com") for name in ("Ann", "bea", "ANN"))
    assert of_person(one) == of_person(another) != of_person(other)
    for user in (one, other):
        user.oidc_issuer, user.oidc_subject = "https://issuer.example.com", "1"
    assert of_person(one) == of_person(other) != of_person(another)


def test_what_counts_nothing_any_more_is_idle():
    place = take_place("tries", "somebody", 1, 60)
    take_place("tries", "somebody else", 1, 3600)
    assert not idle_limits(timezone.now()).exists()
    assert idle_limits(datetime.fromtimestamp(place.until + 1, UTC)).get().who == "somebody"
    longer = take_place("tries", "somebody", 2, 120)
    assert not idle_limits(datetime.fromtimestamp(place.until + 1, UTC)).exists()
    assert idle_limits(datetime.fromtimestamp(longer.until + 1, UTC)).get().who == "somebody"


@pytest.mark.django_db(transaction=True)
def test_of_fifty_at_once_twenty_get_through(on_postgresql):
    ready = Barrier(10)

    def knock(_):
        ready.wait()
        try:
            return [take_place("tries", keyed("sign-in", "x", "y"), 20, 60) for _ in range(5)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        answers = [each for five in pool.map(knock, range(10)) for each in five]
    assert sum(isinstance(each, Place) for each in answers) == 20


@pytest.fixture
def log_in(alice, settings):
    alice.set_password("correct horse")
    alice.is_staff = True
    alice.save()

    def log_in(password, email=alice.email, address="192.0.2.1"):
        form = {"username": email, "password": password}
        return Browser().post("/admin/login/", form, REMOTE_ADDR=address)

    return log_in


def test_the_admins_login_is_tried_so_often_by_email_and_by_address(log_in, settings):
    settings.THROTTLE_ADMIN_LOGIN = (2, 3600)
    for address in ("192.0.2.1", "192.0.2.2"):
        assert b"tried too often" not in log_in("wrong", address=address).content
    assert b"tried too often. Wait 60 minutes" in log_in("correct horse", address="192.0.2.3").content
    for name in ("a", "b"):
        log_in("wrong", email=f"{name}@example.com", address="192.0.2.4")
    assert b"tried too often" in log_in("wrong", email="c@example.com", address="192.0.2.4").content


def test_capital_letters_give_no_more_tries(log_in, settings):
    settings.THROTTLE_ADMIN_LOGIN = (1, 3600)
    log_in("wrong")
    assert b"tried too often" in log_in("wrong", email="ALICE@example.com", address="192.0.2.2").content


def test_a_login_that_is_refused_for_that_costs_no_hash(log_in, settings, monkeypatch):
    settings.THROTTLE_ADMIN_LOGIN = (1, 3600)
    log_in("wrong")
    monkeypatch.setattr("hashlib.pbkdf2_hmac", None)  # any hash would fail
    assert log_in("wrong").status_code == 200


def test_a_login_that_succeeds_counts_for_nothing(log_in, settings):
    settings.THROTTLE_ADMIN_LOGIN = (1, 3600)
    assert [log_in("correct horse").status_code for _ in range(3)] == [302, 302, 302]


def test_the_polled_reads_ask_nothing_about_limits(api, group, bob, django_assert_num_queries):
    api.post(f"/api/groups/{group.pk}/activities", {"userId": bob.pk, "activity": "said hello"})
    for path in ("callStatus", "callParticipants", "activities"):
        with django_assert_num_queries(1):
            api.get(f"/api/groups/{group.pk}/{path}")
    with django_assert_num_queries(1):
        api.get("/api/users")
