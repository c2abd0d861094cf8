"""The operator, their browser, and forms posted back as a browser would post them."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from billing.ledger import account_of
from billing.models import Account, TopUp
from tests.billing.conftest import balance, entries, paid, send, tell  # noqa: F401  # fixtures
from tests.neighbours import ours
from users.models import User


def is_posted(attributes: dict[str, str]) -> bool:
    kind = attributes.get("type")
    return kind not in ("submit", "file") and (kind not in ("checkbox", "radio") or "checked" in attributes)


class FormReader(HTMLParser):
    """What a browser posts back from a page's form when nothing is touched."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str | list[str]] = {}
        self.select = self.text_area = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attributes}
        name = found.get("name", "")
        if tag == "select":
            self.select = name
        elif tag == "textarea":
            self.text_area, self.values[name] = name, ""
        elif tag == "option" and "selected" in found:
            self.values.setdefault(self.select, []).append(found.get("value", ""))  # type: ignore[union-attr]
        elif tag == "input" and name and is_posted(found):
            self.values[name] = found.get("value", "on" if found.get("type") == "checkbox" else "")

    def handle_data(self, data: str) -> None:
        if self.text_area:
            self.values[self.text_area] = data.removeprefix("\n")
            self.text_area = ""


WHY = "They asked for it"


class Browser(Client):
    """An operator's browser."""

    def form(self, path: str) -> dict[str, Any]:
        return read_form(self.get(path))


def read_form(page: Any) -> dict[str, Any]:
    reader = FormReader()
    reader.feed(page.content.decode())
    return {name: value for name, value in reader.values.items() if name != "csrfmiddlewaretoken"}


def text(page: Any) -> str:
    decoded: str = page.content.decode()
    return decoded


def delete(browser: Browser, row: Any) -> Any:
    return browser.post(
        f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/delete/", {"post": "yes", "why": WHY}
    )


def delete_together(browser: Browser, *rows: Any, post: str = "yes") -> Any:
    """Without `post` it is asked first."""
    path = f"/admin/{rows[0]._meta.app_label}/{rows[0]._meta.model_name}/"
    selected = [row.pk for row in rows]
    sent = {"action": "delete_selected", "_selected_action": selected, "post": post, "why": WHY}
    return browser.post(path, {name: value for name, value in sent.items() if value})


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten rows are a page of a list, and three pages are soon filled."""
    monkeypatch.setattr(ModelAdmin, "list_per_page", 10)


@pytest.fixture
def root(db: None) -> User:
    """The operator."""
    return User.objects.create_superuser("root@example.com", display_name="Root")


@pytest.fixture
def browser(root: User) -> Browser:
    browser = Browser()
    browser.force_login(root)
    return browser


@pytest.fixture
def helper(bob: User) -> Browser:
    """Staff with every right on people, but no superuser."""
    bob.is_staff = True
    bob.save()
    bob.user_permissions.set(Permission.objects.filter(content_type__app_label="users"))
    browser = Browser()
    browser.force_login(bob)
    return browser


@pytest.fixture
def account(alice: User) -> Account:
    return account_of(alice)


@pytest.fixture
def opened(browser: Browser, account: Account, paid: str) -> dict[str, Any]:  # noqa: F811  # a fixture
    """The refund form of Alice's only payment, as it was opened."""
    return {**browser.form(f"/admin/billing/account/{account.pk}/refund/"), "top_up": ours(TopUp).get().pk}


def history() -> list[tuple[str, str]]:
    """Who did what in the admin."""
    return list(LogEntry.objects.values_list("user__email", "change_message"))
