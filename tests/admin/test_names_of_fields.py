"""Each field on the operators' pages has a name that a screen reader can say; `make axe` sees the rest of it."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib import admin
from django.http import HttpRequest

from tests.admin.conftest import Browser, text
from tests.admin.rows import fill
from users.models import User

FIELDS = ("input", "select", "textarea")
NAMED_BY_THEMSELVES = ("hidden", "submit", "button", "reset", "image")


class FieldReader(HTMLParser):
    """What a page's fields are, and by what each is named. A row that its script copies is none yet."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[dict[str, str]] = []
        self.labelled: set[str] = set()
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if tag == "label":
            self.labelled.add(found.get("for", ""))
        if tag in FIELDS and found.get("type") not in NAMED_BY_THEMSELVES and "__prefix__" not in found.get("name", ""):
            self.fields.append({**found, "within": "label" if "label" in self.inside else ""})
        if tag == "label":
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "label" and self.inside:
            self.inside.pop()

    def nameless(self) -> list[str]:
        return [
            field.get("name") or field.get("id", "")
            for field in self.fields
            if not (field.get("aria-label") or field.get("aria-labelledby") or field["within"])
            and field.get("id") not in self.labelled
        ]


def nameless(page: Any) -> list[str]:
    assert page.status_code == 200
    reader = FieldReader()
    reader.feed(text(page))
    return reader.nameless()


def paths(root: User) -> list[str]:
    """The list, the form for a new row, and that of one that is there, of each model."""
    request = HttpRequest()
    request.user = root
    found = []
    for model, page in admin.site._registry.items():
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        row = model._default_manager.first()
        found += [base, *([f"{base}add/"] if page.has_add_permission(request) else [])]
        found += [f"{base}{row.pk}/change/"] if row and page.has_change_permission(request, row) else []
    return found


@pytest.mark.alone
def test_each_field_of_each_page_is_named(browser: Browser, root: User) -> None:
    fill(0, 3)
    own = paths(root)
    assert len(own) > 20
    assert {path: names for path in own if (names := nameless(browser.get(path)))} == {}


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/password_change/"])
def test_so_is_each_of_the_log_in_and_of_the_password(root: User, browser: Browser, path: str) -> None:
    root.set_password("only in this test 4711")
    root.save()
    visitor = Browser() if path.endswith("login/") else browser
    if visitor is browser:
        browser.force_login(root)
    assert nameless(visitor.get(path)) == []


def test_so_is_each_that_moves_money(browser: Browser, opened: dict[str, Any], account: Any) -> None:
    for name in ("adjust", "refund"):
        assert nameless(browser.get(f"/admin/billing/account/{account.pk}/{name}/")) == []
    asked = browser.post(f"/admin/billing/account/{account.pk}/adjust/", {"amount": "x"})
    assert nameless(asked) == []


def test_a_box_that_takes_somebody_off_a_list_says_whom(browser: Browser, group: Any, bob: User) -> None:
    page = text(browser.get(f"/admin/groups/group/{group.pk}/change/"))
    assert f'aria-label="Delete {group.memberships.get(user=bob)}"'.replace("\u2068", "").replace("\u2069", "") in page
