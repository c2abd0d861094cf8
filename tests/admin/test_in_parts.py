"""Many people are deleted in parts, each of them whole, and the page says where it is. Here more than twenty are many,
and ten a part."""

import time
from typing import Any

import pytest

from tests.admin.conftest import WHY, Browser, history, read_form, text
from tests.neighbours import ours
from users.admin import people as people_pages
from users.models import User
from users.operators.in_parts import packed, unpacked

PEOPLE, PARTS = "/admin/users/user/", "/admin/users/user/delete-in-parts/"


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_pages, "MOST_AT_ONCE", 20)
    monkeypatch.setattr(people_pages, "PART", 10)


@pytest.fixture
def asked(browser: Browser, root: User) -> Any:
    """The page after 25 people were chosen; every second id is theirs at first."""
    crowd = [User(email=f"p{n}@example.com", display_name=f"P{n}") for n in range(26)]
    User.objects.bulk_create(crowd)
    ours(User).filter(email="p7@example.com").delete()
    chosen = list(ours(User).exclude(pk=root.pk).values_list("pk", flat=True))
    return browser.post(PEOPLE, {"action": "delete_selected", "_selected_action": chosen})


def test_they_are_deleted_ten_at_a_time_and_it_says_where_it_is(
    browser: Browser, asked: Any, root: User, carol: User
) -> None:
    assert ("25 people are to be deleted" in text(asked), ours(User).count()) == (True, 27)
    page = browser.post(PARTS, {**read_form(asked), "why": WHY})
    assert ("10 of 25 people are deleted" in text(page), ours(User).count()) == (True, 17)
    assert '<script src="/static/users/go_on.js" defer></script>' in text(page)
    again = browser.post(PARTS, {**read_form(asked), "why": WHY})
    assert ("10 of 25 people are deleted" in text(again), ours(User).count()) == (True, 17)
    page = browser.post(PARTS, read_form(page))
    page = browser.post(PARTS, read_form(page), follow=True)
    assert "Deleted: 25 people." in text(page)
    assert set(ours(User).all()) == {root, carol}
    assert {message for _, message in history()} == {f"Deleted: {WHY}"}


@pytest.mark.parametrize(("chosen", "parts"), [(20, False), (21, True)])
def test_as_many_as_are_deleted_at_once_are_not_deleted_in_parts(browser: Browser, chosen: int, *, parts: bool) -> None:
    crowd = User.objects.bulk_create(User(email=f"p{n}@example.com", display_name=f"P{n}") for n in range(chosen))
    page = text(browser.post(PEOPLE, {"action": "delete_selected", "_selected_action": [each.pk for each in crowd]}))
    assert (f"{chosen} people are to be deleted" in page, "Are you sure" in page) == (parts, not parts)


def test_what_another_operator_was_asked_counts_for_nothing(helper: Browser, asked: Any) -> None:
    before = ours(User).count()
    assert "not yours" in text(helper.post(PARTS, {**read_form(asked), "why": WHY}, follow=True))
    assert "not yours" in text(helper.post(PARTS, {"rest": "x", "why": WHY}, follow=True))
    assert ours(User).count() == before


def test_who_signed_up_one_after_the_other_takes_no_room() -> None:
    assert len(packed(list(range(1, 100_001)), 100_000, 1)) < 200


@pytest.mark.parametrize(("minutes", "counts"), [(59, True), (61, False)])
def test_what_was_asked_counts_for_an_hour(
    asked: Any, monkeypatch: pytest.MonkeyPatch, minutes: int, *, counts: bool
) -> None:
    rest, (operator,) = read_form(asked)["rest"], ours(User).filter(is_superuser=True).values_list("pk", flat=True)
    later = time.time() + minutes * 60
    monkeypatch.setattr("time.time", lambda: later)
    assert (unpacked(rest, operator) is not None) is counts


def test_a_part_with_a_superuser_is_not_for_other_staff_and_stays_whole(helper: Browser, root: User) -> None:
    User.objects.bulk_create(User(email=f"p{n}@example.com", display_name=f"P{n}") for n in range(25))
    chosen = list(ours(User).exclude(is_staff=True).values_list("pk", flat=True))
    page = helper.post(PEOPLE, {"action": "delete_selected", "_selected_action": [root.pk, *chosen]})
    before = ours(User).count()
    assert helper.post(PARTS, {**read_form(page), "why": WHY}).status_code == 403
    assert ours(User).count() == before


def test_only_who_may_delete_comes_here(helper: Browser, bob: User) -> None:
    bob.user_permissions.clear()
    assert helper.post(PARTS, {"rest": "x", "why": WHY}).status_code == 403
