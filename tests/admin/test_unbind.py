"""When somebody signs in another way than before, an operator unbinds the former sign-in."""

import pytest
from django.contrib.admin.models import LogEntry

from tests.admin.conftest import WHY, Browser, text
from users.models import User
from users.sign_in.local_issuer import local_token

PEOPLE = "/admin/users/user/"


@pytest.fixture
def bound(bob: User) -> User:
    User.objects.filter(pk=bob.pk).update(oidc_issuer="https://former.example.com", oidc_subject="former|1")
    return bob


def unbind(browser: Browser, person: User):
    return browser.post(PEOPLE, {"action": "unbind_sign_in", "_selected_action": person.pk, "why": WHY}, follow=True)


def test_the_next_sign_in_with_their_email_is_theirs(browser: Browser, client, bound: User, sign_in) -> None:
    token = {"Authorization": f"Bearer {local_token(bound.email)}"}
    assert client.get("/api/groups", headers=token).json()["code"] == "other_sign_in_bound"
    assert "Unbound: 1." in text(unbind(browser, bound))
    assert client.get("/api/groups", headers=token).status_code == 200


def test_the_page_shows_the_sign_in_and_lets_nobody_write_it(browser: Browser, bound: User) -> None:
    path = f"{PEOPLE}{bound.pk}/change/"
    assert "former|1" in text(browser.get(path))
    browser.post(path, {**browser.form(path), "oidc_subject": "forged"})
    assert User.objects.get(pk=bound.pk).oidc_subject == "former|1"


def test_staff_cannot_unbind_a_superuser(helper: Browser, root: User) -> None:
    User.objects.filter(pk=root.pk).update(oidc_issuer="https://former.example.com", oidc_subject="former|1")
    assert unbind(helper, root).status_code == 403
    assert User.objects.get(pk=root.pk).oidc_subject == "former|1"


def test_who_had_none_is_not_counted_and_nothing_is_written_down_of_them(
    browser: Browser, bound: User, carol: User
) -> None:
    chosen = {"action": "unbind_sign_in", "_selected_action": [bound.pk, carol.pk], "why": WHY}
    assert "Unbound: 1." in text(browser.post(PEOPLE, chosen, follow=True))
    assert [(entry.object_id, entry.get_change_message()) for entry in LogEntry.objects.all()] == [
        (str(bound.pk), f"Unbound the sign-in. {WHY}")
    ]
