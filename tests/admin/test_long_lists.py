"""A page with thousands of rows in its lists opens, is small, and is saved; so does a list of a million rows."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Card
from groups.models import Group, Membership, Ownership
from tests.admin.conftest import Browser, text
from tests.admin.rows import fill
from tests.neighbours import ours
from users.models import User
from users.operators import searching


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
    ours(Membership).filter(user__in=[member(0), member(401), member(410)]).delete()
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


def test_behind_the_last_page_a_link_leads_back(browser: Browser, bob: User) -> None:
    page = text(browser.get(f"{page_of(choir_of(bob, 3))}?memberships-page=3"))
    assert ("Page 3 of 1, 3 in all." in page, 'href="?memberships-page=1#' in page) == (True, True)


def cards(bob: User, count: int) -> Any:
    rows = (Card(id=f"pm_{n}", user=bob, brand="visa", last4="4242", exp_month=3, exp_year=2034) for n in range(count))
    return Card.objects.bulk_create(rows)


def test_what_is_only_shown_may_go_while_the_page_is_open(browser: Browser, bob: User) -> None:
    cards(bob, 3)
    form = browser.form(f"/admin/users/user/{bob.pk}/change/")
    ours(Card).all().delete()
    answer = browser.post(f"/admin/users/user/{bob.pk}/change/", {**form, "last_name": "Builder"})
    assert answer.status_code == 302


def test_what_is_only_shown_is_paged_too(browser: Browser, bob: User) -> None:
    cards(bob, 101)
    page = browser.get(f"/admin/users/user/{bob.pk}/change/")
    assert "Page 1 of 2, 101 in all." in text(page)
    assert text(browser.get(f"/admin/users/user/{bob.pk}/change/?cards-page=2")).count('class="field-last4"') == 1


# --- Lists of a million rows ---------------------------------------------------------------------------------------


@pytest.fixture
def many(short_pages: None, db: None) -> None:
    """Two and a half pages of each list."""
    fill(0, 25)


MANY_PAGES = ("billing/ledgerentry", "voice/call", "groups/activity", "voice/conference", "billing/topup", "users/user")
long_lists = pytest.mark.parametrize("name", MANY_PAGES)


def rows_on(browser: Browser, name: str, **asked: Any) -> list[Any]:
    return list(browser.get(f"/admin/{name}/", asked).context["cl"].result_list)


def statements(browser: Browser, name: str, **asked: Any) -> list[str]:
    """What the list asks of its own table."""
    with CaptureQueriesContext(connection) as queries:
        changelist = browser.get(f"/admin/{name}/", asked).context["cl"]
    table = changelist.model._meta.db_table
    return [query["sql"] for query in queries if f'FROM "{table}"' in query["sql"] and "DISTINCT" not in query["sql"]]


@pytest.mark.parametrize("asked", [{}, {"o": "1"}, {"o": "-1"}, {"o": "3.-2"}], ids=str)
@long_lists
def test_the_pages_of_a_list_are_its_rows_in_their_order(
    browser: Browser, many: None, name: str, asked: dict[str, str]
) -> None:
    changelist = browser.get(f"/admin/{name}/", asked).context["cl"]
    paged = [row.pk for page in (1, 2, 3) for row in rows_on(browser, name, p=page, **asked)]
    assert paged == list(changelist.queryset.values_list("pk", flat=True))
    assert len(set(paged)) == changelist.result_count >= 25


@long_lists
def test_the_last_page_skips_no_row(browser: Browser, many: None, name: str) -> None:
    assert not [each for each in statements(browser, name, p=3) if "OFFSET" in each]


@long_lists
def test_of_skipped_rows_nothing_is_looked_up(browser: Browser, many: None, name: str) -> None:
    """The second of three pages is found by its keys, whatever the list shows beside a row."""
    for column in range(8):
        (skipping,) = [each for each in statements(browser, name, p=2, o=str(column)) if "OFFSET" in each]
        assert "JOIN" not in skipping, column
        assert skipping.count("SELECT") == 1, column


@pytest.mark.parametrize("name", ["billing/ledgerentry", "voice/call", "groups/activity", "voice/conference"])
def test_a_search_joins_no_table_to_all_rows(browser: Browser, many: None, name: str) -> None:
    for term in ("person17@example.com", '"Group 17"', "CA17", "17", "nothing like it"):
        counting = [each for each in statements(browser, name, q=term) if "COUNT(" in each]
        assert counting
        assert not [each for each in counting if "JOIN" in each or each.count("SELECT") > 1], term


def test_words_are_looked_for_in_the_newest_rows(browser: Browser, many: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "NEWEST", 10)
    assert [row.activity for row in rows_on(browser, "groups/activity", q='"did 24"')] == ["did 24"]
    assert rows_on(browser, "groups/activity", q='"did 7"') == []
    assert [row.pk for row in rows_on(browser, "billing/stripeevent", q="cus_24")] == ["evt_24"]
    assert rows_on(browser, "billing/stripeevent", q="cus_7") == []
    assert len(rows_on(browser, "billing/stripeevent", q="evt_2")) == 6  # by their beginning all are found


# --- Before a deletion ------------------------------------------------------------------------------------------------


def test_before_a_deletion_the_beginning_of_a_long_list_is_shown_and_all_is_counted(
    browser: Browser, choir: Group
) -> None:
    page = text(browser.get(f"/admin/groups/group/{choir.pk}/delete/"))
    assert page.count("<li>Member: ") == 100
    assert "And 350 more members" in page
    assert "<li>Members: 450</li>" in page
    assert "<li>Owners: 1</li>" in page


def test_before_a_deletion_a_list_that_just_fits_is_whole(
    browser: Browser, choir: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("users.operators.deleting.SHOWN", 450)
    page = text(browser.get(f"/admin/groups/group/{choir.pk}/delete/"))
    assert (page.count("<li>Member: "), "And 0 more" in page) == (450, False)
