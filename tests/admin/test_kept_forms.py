"""A session that ends in the middle of a form takes nothing that was written with it."""

import re
import time
from typing import Any

import pytest
from django.contrib.sessions.models import Session

from tests.admin.conftest import Browser, FormReader, read_form, text
from users.models import User

PASSWORD = "correct horse battery"
ORIGIN = "http://testserver"


@pytest.fixture
def root(root: User) -> User:
    root.set_password(PASSWORD)
    root.save()
    return root


def log_in(browser: Browser, page: Any, password: str = PASSWORD) -> Any:
    return browser.post("/admin/login/", {**read_form(page), "username": "root@example.com", "password": password})


def test_what_was_written_goes_on_after_the_log_in(browser: Browser, bob: User) -> None:
    path = f"/admin/users/user/{bob.pk}/change/"
    form = {**browser.form(path), "last_name": "<Builder> & “sons”"}
    Session.objects.all().delete()
    page = browser.post(path, form)
    assert "Your session has ended" in text(page)
    page = log_in(browser, page, "wrong")
    assert "Your session has ended" in text(page)
    page = log_in(browser, page)
    bob.refresh_from_db()
    assert ("You are logged in." in text(page), bob.last_name) == (True, None)
    assert browser.post(path, read_form(page)).status_code == 302
    bob.refresh_from_db()
    assert bob.last_name == "<Builder> & “sons”"


def test_a_password_is_not_kept(browser: Browser, bob: User) -> None:
    path = f"/admin/users/user/{bob.pk}/password/"
    Session.objects.all().delete()
    page = browser.post(path, {"password1": "staple battery", "password2": "staple battery"})
    assert "staple" not in text(log_in(browser, page))


def test_the_log_in_page_says_why_it_is_there(browser: Browser) -> None:
    Session.objects.all().delete()
    page = browser.get("/admin/users/user/", follow=True)
    assert "Your session has ended" in text(page)


def test_who_was_never_here_hears_nothing_of_a_session(root: User) -> None:
    assert "session has ended" not in text(Browser().get("/admin/users/user/", follow=True))


def test_of_who_was_never_here_no_form_is_kept(root: User, bob: User) -> None:
    """Another site's form comes without our cookies."""
    assert Browser().post(f"/admin/users/user/{bob.pk}/change/", {"last_name": "forged"}).status_code == 302


@pytest.mark.parametrize(("hours", "is_kept"), [(11, True), (13, False)])
def test_a_form_is_kept_for_twelve_hours(
    browser: Browser, bob: User, monkeypatch: pytest.MonkeyPatch, hours: int, *, is_kept: bool
) -> None:
    path = f"/admin/users/user/{bob.pk}/change/"
    form = browser.form(path)
    Session.objects.all().delete()
    page = browser.post(path, form)
    later = time.time() + hours * 3600
    monkeypatch.setattr("time.time", lambda: later)
    assert ("You are logged in." in text(log_in(browser, page))) is is_kept


@pytest.mark.parametrize("kept", ["x", "eyJwYXRoIjoiLyJ9:1:x"])
def test_a_kept_form_that_is_not_ours_counts_for_nothing(root: User, kept: str) -> None:
    written = {"username": "root@example.com", "password": PASSWORD, "kept_form": kept}
    assert Browser().post("/admin/login/", written).status_code == 302


@pytest.fixture
def tab(root: User) -> Browser:
    """A browser that has logged in again in another tab since its form was opened."""
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(root)
    return browser


def sent(page: Any) -> dict[str, Any]:
    reader = FormReader()
    reader.feed(page.content.decode())
    return reader.values


def test_a_form_of_before_the_last_log_in_is_kept_and_sent_again(tab: Browser, bob: User) -> None:
    path = f"/admin/users/user/{bob.pk}/change/"
    form = sent(tab.get(path))
    old = {**form, "csrfmiddlewaretoken": "x" * 64, "last_name": "Builder"}
    page = tab.post(path, old, headers={"Origin": ORIGIN})
    assert (page.status_code, "DEBUG" in text(page)) == (403, False)
    assert "perhaps in another tab, so nothing was done" in text(page)
    assert tab.post(path, sent(page), headers={"Origin": ORIGIN}).status_code == 302
    bob.refresh_from_db()
    assert bob.last_name == "Builder"


def test_of_what_is_kept_only_what_somebody_wrote_is_shown(tab: Browser, bob: User) -> None:
    written = {"last_name": "Builder", "note": "By phone"}
    forms = {
        "_save": "Save",
        "initial-note": "-",
        "key": "k1",
        "cards-TOTAL_FORMS": "1",
        "cards-0-id": "7",
    }
    path = f"/admin/users/user/{bob.pk}/change/"
    page = tab.post(path, {**written, **forms}, headers={"Origin": ORIGIN})
    assert re.findall(r"<li>([\w-]+): <bdi>(.*?)</bdi>", text(page)) == list(written.items())
    assert sent(page).items() >= {**written, **forms}.items()


FOREIGN = pytest.mark.parametrize("origin", ["https://evil.example.com", "null", None])


@FOREIGN
def test_a_form_of_another_site_is_not_offered_again(tab: Browser, bob: User, origin: str | None) -> None:
    path = f"/admin/users/user/{bob.pk}/delete/"
    page = tab.post(path, {"post": "yes", "note": "forged"}, headers={"Origin": origin} if origin else {})
    assert (page.status_code, "forged" in text(page), "DEBUG" in text(page)) == (403, False, False)


def test_without_a_session_and_with_an_old_token_it_is_kept_too(tab: Browser, bob: User) -> None:
    path = f"/admin/users/user/{bob.pk}/change/"
    form = {**sent(tab.get(path)), "csrfmiddlewaretoken": "x" * 64}
    Session.objects.all().delete()
    page = tab.post(path, form, headers={"Origin": ORIGIN})
    assert "What you had written is kept" in text(page)


@FOREIGN
def test_without_a_session_a_form_of_another_site_is_not_kept(tab: Browser, bob: User, origin: str | None) -> None:
    tab.get("/admin/")
    Session.objects.all().delete()
    page = tab.post(f"/admin/users/user/{bob.pk}/change/", {"last_name": "forged"}, headers={"Origin": origin or ""})
    assert (page.status_code, "is kept" in text(page)) == (403, False)
