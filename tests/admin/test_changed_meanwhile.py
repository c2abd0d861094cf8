"""What somebody else has changed since a page was opened is neither put back unseen nor overwritten unseen."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group as PermissionGroup
from django.contrib.auth.models import Permission
from django.test import RequestFactory

from groups.models import Activity, Group
from tests.admin.conftest import Browser, read_form, text
from users.models import User
from users.operators.changes import AsShown


def page_of(row: Any) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"


def one_of(kind: str, bob: User, group: Group) -> Any:
    if kind == "activity":
        return Activity.objects.create(user=bob, group=group, activity="joined")
    return PermissionGroup.objects.create(name="Helpers") if kind == "rights" else {"person": bob, "group": group}[kind]


KINDS = pytest.mark.parametrize(
    ("kind", "field"), [("person", "last_name"), ("group", "name"), ("activity", "activity"), ("rights", "name")]
)


@KINDS
def test_of_two_operators_the_second_is_told_both_values_before_anything_is_saved(
    browser: Browser, bob: User, group: Group, kind: str, field: str
) -> None:
    row = one_of(kind, bob, group)
    was = getattr(row, field)
    form = browser.form(page_of(row))
    type(row).objects.filter(pk=row.pk).update(**{field: "Theirs"})
    page = browser.post(page_of(row), {**form, field: "Mine"})
    told = f"This was changed to “Theirs” since the page was opened; it was {f'“{was}”' if was else 'nothing'}."
    assert told in text(page)
    row.refresh_from_db()
    assert getattr(row, field) == "Theirs"
    assert read_form(page)[field] == "Mine"
    assert browser.post(page_of(row), read_form(page)).status_code == 302
    row.refresh_from_db()
    assert getattr(row, field) == "Mine"


@KINDS
def test_what_is_the_same_already_is_saved_without_a_question(
    browser: Browser, bob: User, group: Group, kind: str, field: str
) -> None:
    row = one_of(kind, bob, group)
    form = browser.form(page_of(row))
    type(row).objects.filter(pk=row.pk).update(**{field: "The same"})
    page = browser.post(page_of(row), {**form, field: "The same"}, follow=True)
    assert ("was changed successfully" in text(page), "Changed by others" in text(page)) == (True, False)


def test_what_the_app_wrote_meanwhile_stays_and_is_told(browser: Browser, bob: User) -> None:
    form = browser.form(page_of(bob))
    User.objects.filter(pk=bob.pk).update(display_name="Bobby", phone_number=12025550123, call_status=True)
    page = text(browser.post(page_of(bob), {**form, "last_name": "Builder"}, follow=True))
    bob.refresh_from_db()
    assert (bob.last_name, bob.display_name, bob.phone_number) == ("Builder", "Bobby", 12025550123)
    assert bob.call_status
    assert "Display name: “Bob”, now “Bobby”" in page
    assert "On a call: no, now yes" in page


def test_an_email_that_somebody_else_took_meanwhile_does_not_stand_in_the_way(
    browser: Browser, bob: User, alice: User
) -> None:
    form = browser.form(page_of(bob))
    User.objects.filter(pk=bob.pk).update(email="robert@example.com")
    User.objects.filter(pk=alice.pk).update(email="bob@example.com")
    assert browser.post(page_of(bob), {**form, "last_name": "Builder"}).status_code == 302
    bob.refresh_from_db()
    assert (bob.last_name, bob.email) == ("Builder", "robert@example.com")


def test_rights_that_were_given_meanwhile_are_not_taken_back(browser: Browser, bob: User) -> None:
    form = browser.form(page_of(bob))
    right = Permission.objects.get(codename="view_user")
    bob.user_permissions.add(right)
    browser.post(page_of(bob), {**form, "last_name": "Builder"})
    assert list(bob.user_permissions.all()) == [right]


def test_rights_that_two_change_are_told(browser: Browser, bob: User) -> None:
    form = browser.form(page_of(bob))
    theirs, mine = (Permission.objects.get(codename=name) for name in ("view_user", "add_user"))
    bob.user_permissions.add(theirs)
    page = browser.post(page_of(bob), {**form, "user_permissions": [str(mine.pk)]})
    assert "since the page was opened; it was nothing." in text(page)
    assert list(bob.user_permissions.all()) == [theirs]
    browser.post(page_of(bob), read_form(page))
    assert list(bob.user_permissions.all()) == [mine]


def test_one_without_what_was_shown_is_compared_with_what_is_there(browser: Browser, bob: User) -> None:
    """A form from before this was so, or of a script."""
    form = {name: value for name, value in browser.form(page_of(bob)).items() if not name.startswith("initial-")}
    assert browser.post(page_of(bob), {**form, "last_name": "Builder"}).status_code == 302
    bob.refresh_from_db()
    assert (bob.last_name, bob.display_name) == ("Builder", "Bob")


@pytest.mark.parametrize("page", admin.site._registry.values(), ids=lambda page: page.opts.label)
def test_every_page_that_can_be_changed_compares(page: Any, root: User) -> None:
    request = RequestFactory().get("/admin/")
    request.user = root
    if page.has_change_permission(request):
        assert issubclass(page.get_form(request, page.model(), change=True), AsShown)
    inlines = page.get_inline_instances(request, page.model(pk=1))
    assert not any(inline.has_change_permission(request, None) for inline in inlines), "a row is put there or taken off"
