"""How long an operator's session lasts, what ends it, and what the log tells of it."""

import json
import time
from ipaddress import ip_network

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from tests.admin.conftest import WHY, Browser
from users.models import User

PASSWORD = "correct horse battery"
HOUR = 3600


@pytest.fixture
def root(root: User) -> User:
    root.set_password(PASSWORD)
    root.save()
    return root


def log_in(browser: Client, **sent: str):
    form = {"username": "root@example.com", "password": PASSWORD, "next": "/admin/", **sent}
    return browser.post("/admin/login/", form, headers={"User-Agent": "x\r\ny"})


@pytest.fixture
def passes(monkeypatch):
    """Lets so many seconds pass."""
    begun, gone = time.time(), [0.0]

    def go_on(seconds: float) -> None:
        gone[0] += seconds

    monkeypatch.setattr("users.operators.sessions.time.time", lambda: begun + gone[0])
    return go_on


def is_in(browser: Client) -> bool:
    return browser.get("/admin/").status_code == 200


def test_one_that_lies_idle_for_an_hour_is_over(browser, passes):
    passes(HOUR - 1)
    assert is_in(browser)
    passes(HOUR + 1)
    assert not is_in(browser)
    assert not Session.objects.exists()


def test_one_that_is_used_goes_on_for_twelve_hours_and_no_longer(browser, passes):
    for _ in range(23):
        passes(HOUR / 2)
        assert is_in(browser)
    passes(HOUR / 2 + 1)
    assert not is_in(browser)


def test_one_without_a_beginning_is_none(browser):
    session = browser.session
    del session["began_at"]
    session.save()
    assert not is_in(browser)


@pytest.mark.parametrize("noted", ["began_at", "seen_at"])
def test_one_of_a_time_to_come_is_none(browser, noted):
    session = browser.session
    session[noted] = time.time() + HOUR
    session.save()
    assert not is_in(browser)


def test_a_page_is_no_write_each_time(browser, passes, django_assert_max_num_queries):
    is_in(browser)
    with django_assert_max_num_queries(20) as asked:
        is_in(browser)
    assert not [query for query in asked.captured_queries if "UPDATE" in query["sql"]]


@pytest.mark.parametrize("lost", ["is_active", "is_staff"])
def test_who_loses_their_part_has_no_session_that_comes_back_with_it(browser, root, lost):
    User.objects.filter(pk=root.pk).update(**{lost: False})
    assert not is_in(browser)
    User.objects.filter(pk=root.pk).update(**{lost: True})
    assert not is_in(browser)


@pytest.mark.parametrize("lost", ["is_active", "is_staff"])
def test_taking_it_from_them_in_the_admin_ends_every_session(browser, helper, bob, lost):
    page = f"/admin/users/user/{bob.pk}/change/"
    form = browser.form(page)
    del form[lost]
    assert browser.post(page, form).status_code == 302
    User.objects.filter(pk=bob.pk).update(**{lost: True})
    assert not is_in(helper)


def test_a_changed_password_ends_every_other_session(root, browser):
    other = Browser()
    other.force_login(root)
    change = {"old_password": PASSWORD, "new_password1": "staple horse 17", "new_password2": "staple horse 17"}
    assert browser.post("/admin/password_change/", change).status_code == 302
    assert (is_in(browser), is_in(other)) == (True, False)


def test_an_operator_ends_the_sessions_of_another(browser, helper, bob):
    browser.post("/admin/users/user/", {"action": "end_sessions", "_selected_action": bob.pk, "why": WHY})
    assert (is_in(helper), is_in(browser)) == (False, True)


def test_staff_cannot_end_a_superusers(helper, browser, root):
    assert helper.post("/admin/users/user/", {"action": "end_sessions", "_selected_action": root.pk}).status_code == 403
    assert is_in(browser)


def test_logging_in_makes_a_new_key(root):
    browser = Client()
    session = browser.session
    session["x"] = 1
    session.save()
    before = session.session_key
    browser.cookies["sessionid"] = before
    log_in(browser)
    assert browser.cookies["sessionid"].value != before
    assert not Session.objects.filter(pk=before).exists()


def test_logging_out_ends_it_on_the_server_and_clears_the_browser(browser):
    key = browser.session.session_key
    answer = browser.post("/admin/logout/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert not Session.objects.filter(pk=key).exists()


@pytest.mark.parametrize(
    ("next_page", "leads_to"),
    [
        ("/admin/users/user/", "/admin/users/user/"),
        ("https://evil.example/admin/", "/admin/"),
        ("//evil.example/admin/", "/admin/"),
        ("/\\evil.example", "/admin/"),
        ("/api/users", "/admin/"),
        ("javascript:alert(1)", "/admin/"),
        ("/admin/\r\nX: y", "/admin/%0D%0AX:%20y"),
    ],
)
def test_the_login_leads_to_the_admins_own_pages_alone(root, next_page, leads_to):
    assert log_in(Client(), next=next_page)["Location"] == leads_to
    page = Client().get("/admin/login/", {"next": next_page}, follow=True).content.decode()
    assert "Log in" in page
    assert "evil" not in page


def test_the_cookies_are_the_browsers_alone(root):
    browser = Client()
    browser.get("/admin/login/")
    log_in(browser)
    for cookie in browser.cookies.values():
        assert (cookie["httponly"], cookie["samesite"], cookie["domain"], cookie["path"]) == (True, "Lax", "", "/")
    assert sorted(browser.cookies) == ["csrftoken", "sessionid"]
    assert browser.cookies["sessionid"]["max-age"] == HOUR


# What the log tells


def told(log, message):
    (line,) = [line for line in log.lines if line["message"] == message]
    return line["logger"], line["level"], line["user_id"], line["address"]


def test_each_log_in_is_told_with_its_address(root, log):
    log_in(Client(REMOTE_ADDR="2001:db8::7"))
    line = told(log, "An operator logged in")
    assert line == ("users.operators.sessions", "INFO", root.pk, "2001:db8::7")


def test_each_session_that_is_over_is_told(browser, root, passes, log):
    passes(HOUR + 1)
    assert not is_in(browser)
    assert told(log, "An operator's session is over")[2:] == (root.pk, "127.0.0.1")


def test_each_log_out_is_told(browser, root, log):
    browser.post("/admin/logout/")
    assert told(log, "An operator logged out")[2:] == (root.pk, "127.0.0.1")


@pytest.mark.parametrize("typed", ["root@example.com", "ROOT@example.com"])
def test_a_log_in_that_failed_is_told_by_whose_account_it_was(root, log, typed):
    log_in(Client(), username=typed, password="guessed-sesame")
    assert told(log, "A log-in failed")[1:] == ("WARNING", root.pk, "127.0.0.1")
    assert "sesame" not in json.dumps(log.lines)


@pytest.mark.parametrize("typed", ["my-sesame-password", "x\r\n{sesame}", "sesame\u202e@example.com", "sesame\0"])
def test_what_was_typed_is_never_told(root, log, typed):
    log_in(Client(), username=typed, password="sesame")
    assert all(line.get("user_id") is None for line in log.lines)
    assert "sesame" not in json.dumps(log.lines)


@pytest.mark.parametrize(("proxies", "address"), [([], "127.0.0.1"), ([ip_network("127.0.0.1/32")], "203.0.113.9")])
def test_the_address_is_believed_of_a_trusted_proxy_alone(root, log, settings, proxies, address):
    settings.TRUSTED_PROXIES = proxies
    log_in(Client(headers={"X-Forwarded-For": "sesame, 203.0.113.9"}))
    assert told(log, "An operator logged in")[3] == address
    assert "sesame" not in json.dumps(log.lines)
