import pytest
from django.test import Client

from tests.admin.conftest import WHY, Browser, text
from tests.admin.test_lists import LISTS
from users.models import User

PAGES = ["/admin/", *(f"/admin/{name}/" for name in LISTS), "/admin/users/user/add/", "/admin/groups/group/add/"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_sends_a_stranger_to_the_login(db: None, path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={path}")
    assert answer["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_not_for_people_who_are_not_staff(bob: User, path: str) -> None:
    browser = Client()
    browser.force_login(bob)
    assert browser.get(path)["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_for_the_operator(browser: Browser, path: str) -> None:
    page = browser.get(path)
    assert page.status_code == 200
    assert "Voice Chatroom" in text(page)


def test_the_operator_logs_in_by_email_and_password(root: User) -> None:
    root.set_password("correct horse battery")
    root.save()
    browser = Client()
    login = {"username": "ROOT@example.com", "password": "correct horse battery", "next": "/admin/"}
    assert browser.post("/admin/login/", login)["Location"] == "/admin/"
    assert browser.get("/admin/").status_code == 200


def test_an_unknown_row_leads_back_to_the_index_with_a_word(browser: Browser) -> None:
    assert "Perhaps it was deleted" in text(browser.get("/admin/groups/group/404/change/", follow=True))


def test_staff_cannot_make_themselves_superusers(helper: Browser, bob: User) -> None:
    path = f"/admin/users/user/{bob.pk}/change/"
    form = helper.form(path)
    assert helper.post(path, {**form, "is_superuser": "on", "display_name": "Robert"}).status_code == 302
    bob.refresh_from_db()
    assert (bob.is_superuser, bob.is_staff, bob.display_name) == (False, True, "Robert")


def test_staff_cannot_touch_a_superuser(helper: Browser, root: User) -> None:
    base = f"/admin/users/user/{root.pk}"
    for path in (f"{base}/change/", f"{base}/delete/", f"{base}/password/"):
        assert helper.post(path, {"password1": "x", "password2": "x", "post": "yes", "why": WHY}).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": root.pk, "post": "yes", "why": WHY}
    assert helper.post("/admin/users/user/", bulk).status_code == 403
    rights = {**helper.form(f"{base}/change/"), "email": "robert@example.com"}
    assert helper.post(f"{base}/change/", rights).status_code == 403
    assert User.objects.get(pk=root.pk).password == root.password
