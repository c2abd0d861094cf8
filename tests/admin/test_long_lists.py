"""A page with thousands of rows in its lists opens, is small, and is saved."""

from typing import Any

import pytest

from billing.models import Card
from groups.models import Group, Membership, Ownership
from tests.admin.conftest import Browser, text
from users.models import User


def choir_of(bob: User, size: int) -> Group:
    group = Group.objects.create(name="Choir")
    Ownership.objects.create(group=group, user=bob)
    people = User.objects.bulk_create(User(email=f"p{n}@example.com", display_name=f"P{n}") for n in range(size))
    Membership.objects.bulk_create(Membership(group=group, user=person) for person in people)
    return group


@pytest.fixture
def choir(bob: User) -> Group:
    return choir_of(bob, 450)


def page_of(group: Group) -> str:
    return f"/admin/groups/group/{group.pk}/change/"


def member(number: int) -> User:
    return User.objects.get(email=f"p{number}@example.com")


def test_a_group_of_5000_has_a_small_page_that_is_saved(browser: Browser, bob: User) -> None:
    choir = choir_of(bob, 5000)
    page = browser.get(page_of(choir))
    form = browser.form(page_of(choir))
    assert (len(page.content) < 300_000, len(form) < 1000) == (True, True)
    assert "Page 1 of 50, 5000 in all." in text(page)
    assert browser.post(page_of(choir), {**form, "name": "Quire"}).status_code == 302
    choir.refresh_from_db()
    assert (choir.name, choir.memberships.count()) == ("Quire", 5000)


def test_a_member_on_a_later_page_is_taken_off_while_others_leave(browser: Browser, choir: Group) -> None:
    path = f"{page_of(choir)}?memberships-page=5"
    form = browser.form(path)
    (place,) = [name for name, value in form.items() if value == str(Membership.objects.get(user=member(430)).pk)]
    Membership.objects.filter(user__in=[member(0), member(401), member(410)]).delete()
    added = {"memberships-TOTAL_FORMS": 51, "memberships-50-user": member(0).pk}
    off = {place.replace("-id", "-DELETE"): "on", "memberships-10-DELETE": "on"}  # the second is gone already
    assert browser.post(path, {**form, **added, **off}).status_code == 302
    assert not choir.memberships.filter(user=member(430)).exists()
    assert choir.memberships.filter(user=member(0)).exists()
    assert choir.memberships.count() == 447


def test_who_stands_on_another_page_is_not_put_on_the_list_twice(browser: Browser, choir: Group) -> None:
    form = browser.form(page_of(choir))
    again = {"memberships-TOTAL_FORMS": 101, "memberships-100-user": member(449).pk}
    page = browser.post(page_of(choir), {**form, **again})
    assert "is on this list already." in text(page)
    assert choir.memberships.count() == 450


@pytest.mark.parametrize("number", ["0", "51", "x", "-1", "9" * 30, "²"])
def test_a_page_that_is_not_there_is_empty_or_the_first(browser: Browser, choir: Group, number: str) -> None:
    assert browser.get(f"{page_of(choir)}?memberships-page={number}").status_code == 200


def cards(bob: User, count: int) -> Any:
    rows = (Card(id=f"pm_{n}", user=bob, brand="visa", last4="4242", exp_month=3, exp_year=2034) for n in range(count))
    return Card.objects.bulk_create(rows)


def test_what_is_only_shown_may_go_while_the_page_is_open(browser: Browser, bob: User) -> None:
    cards(bob, 3)
    form = browser.form(f"/admin/users/user/{bob.pk}/change/")
    Card.objects.all().delete()
    answer = browser.post(f"/admin/users/user/{bob.pk}/change/", {**form, "last_name": "Builder"})
    assert answer.status_code == 302


def test_what_is_only_shown_is_paged_too(browser: Browser, bob: User) -> None:
    cards(bob, 101)
    page = browser.get(f"/admin/users/user/{bob.pk}/change/")
    assert "Page 1 of 2, 101 in all." in text(page)
    assert text(browser.get(f"/admin/users/user/{bob.pk}/change/?cards-page=2")).count('class="field-last4"') == 1
