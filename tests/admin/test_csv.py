"""Each list as CSV: what is found, whole, in which nothing becomes a formula."""

import csv
from io import StringIO

import pytest
from django.contrib import admin

from tests.admin.conftest import Browser, text
from tests.admin.rows import fill
from tests.neighbours import ours
from users.models import User
from users.operators import lists_as_csv

pytestmark = pytest.mark.django_db
LISTS = sorted(f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry)


@pytest.fixture
def download(browser):
    def download(path, by=browser):
        answer = by.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
        return list(csv.reader(StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))

    return download


@pytest.mark.parametrize("name", LISTS)
def test_each_list_has_its_own(browser, download, name):
    fill(0, 3)
    page = text(browser.get(f"/admin/{name}/"))
    assert '<a href="?csv=1">Download as CSV</a>' in page
    head, *rows = download(f"/admin/{name}/?csv=1")
    assert all(len(row) == len(head) for row in rows)
    assert not [cell for row in rows for cell in row if "<" in cell]
    assert download(f"/admin/{name}/?csv=1&q=Hello")[0] == head  # and can be searched, if it can


def test_it_has_what_is_found_in_its_order_over_all_pages(browser, download, short_pages):
    fill(0, 25)
    head, *rows = download("/admin/users/user/?q=person1&o=-1&csv=1")
    emails = [row[head.index("email")] for row in rows]
    assert emails == [f"person{n}@example.com" for n in (*range(19, 9, -1), 1)]
    link = '<a href="?q=person1&amp;o=-1&amp;csv=1">'
    assert link in text(browser.get("/admin/users/user/?q=person1&o=-1"))


def test_no_name_becomes_a_formula_and_times_are_in_utc(download, alice):
    User.objects.filter(pk=alice.pk).update(
        display_name='=HYPERLINK("https://evil.example")', created_at="2026-01-02T03:04:05.678Z"
    )
    head, *rows = download("/admin/users/user/?q=alice&csv=1")
    row = dict(zip(head, rows[0], strict=True))
    assert row["display name"] == '\'=HYPERLINK("https://evil.example")'
    assert row["created at"] == "2026-01-02T03:04:05+00:00"
    assert row["Balance"] == "$0.00"


def test_a_list_that_is_too_long_says_so(download, monkeypatch):
    fill(0, 5)
    monkeypatch.setattr(lists_as_csv, "MOST", 3)
    monkeypatch.setattr(lists_as_csv, "AT_ONCE", 2)
    _, *rows = download("/admin/groups/group/?csv=1")
    assert (len(rows), rows[-1]) == (4, [lists_as_csv.TOO_MANY])


@pytest.mark.alone
def test_one_that_just_fits_does_not(download, monkeypatch):
    fill(0, 5)
    monkeypatch.setattr(lists_as_csv, "MOST", 5)
    assert len(download("/admin/groups/group/?csv=1")) == 6


def test_a_row_that_goes_while_it_is_sent_is_left_out(browser):
    fill(0, 3)
    answer = browser.get("/admin/users/user/?csv=1")
    ours(User).filter(email="person1@example.com").delete()
    assert b"person1@" not in b"".join(answer.streaming_content)


def test_who_may_not_look_at_a_list_gets_none(helper: Browser):
    assert helper.get("/admin/billing/account/?csv=1").status_code == 403


def test_a_filter_that_no_row_can_match_is_no_fault(browser):
    answer = browser.get("/admin/users/user/?created_at__year=99999&csv=1", follow=True)
    assert answer.status_code in (200, 400)
