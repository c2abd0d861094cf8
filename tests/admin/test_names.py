"""Names that would mislead an operator's eye: wherever a person is to be chosen or found, id and email stand beside."""

import json

import pytest

from core.legible import legible
from groups.models import Activity, Group
from tests.admin.conftest import Browser, text
from users.models import User

MARKS = "\u202e\u2066\u200f\u200b\u00ad\ufeff\u2028\x1b"


@pytest.fixture
def eve(db: None) -> User:
    """Calls herself as Alice does, turned around."""
    return User.objects.create(email="eve@example.com", display_name=f"{MARKS}Alice{MARKS} <alice@example.com>")


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        (f"A{MARKS}lice", "A lice"),
        ("A\u202elice", "Alice"),
        ("a \t\n  b", "a b"),
        ("\u3164\u200b", "(nothing visible)"),
        ("José 李 علي", "José 李 علي"),
        ("\u2068x\u2069\u2069", "x"),
    ],
)
def test_only_what_the_eye_can_see_stays(name, seen):
    assert legible(name) == seen


def test_the_list_of_people_has_id_email_and_name_isolated(browser: Browser, eve: User) -> None:
    page = text(browser.get("/admin/users/user/"))
    assert "<bdi>Alice &lt;alice@example.com&gt;</bdi>" in page
    assert "<bdi>eve@example.com</bdi>" in page
    assert f'class="field-id">{eve.pk}<' in page


@pytest.mark.parametrize("search", ["alice", "eve@example.com"])
def test_a_picker_shows_id_and_email_first(browser: Browser, eve: User, search: str) -> None:
    asked = {"app_label": "groups", "model_name": "membership", "field_name": "user", "term": search}
    (found,) = json.loads(browser.get("/admin/autocomplete/", asked).content)["results"]
    assert found["text"] == f"#{eve.pk} \u2068eve@example.com\u2069 \u2068Alice <alice@example.com>\u2069"


@pytest.mark.parametrize("together", [False, True])
def test_the_question_before_a_deletion_says_who_it_is(browser: Browser, eve: User, together: bool) -> None:
    if together:
        asked = {"action": "delete_selected", "_selected_action": eve.pk}
        page = text(browser.post("/admin/users/user/", asked))
    else:
        page = text(browser.get(f"/admin/users/user/{eve.pk}/delete/"))
    assert f"#{eve.pk} \u2068eve@example.com\u2069" in page


@pytest.fixture
def pages(browser: Browser, group: Group, eve: User) -> list[str]:
    group.name = f"Family{MARKS}"
    group.save()
    group.ownerships.update(user=eve)
    group.memberships.create(user=eve)
    Activity.objects.create(group=group, user=eve, activity=f"joined{MARKS}")
    paths = [
        *(f"/admin/{name}/" for name in ("users/user", "groups/group", "groups/activity")),
        f"/admin/groups/group/{group.pk}/delete/",
        f"/admin/users/user/{eve.pk}/delete/",
        f"/admin/users/user/{eve.pk}/history/",
    ]
    return [text(browser.get(path)) for path in paths]


def test_no_mark_of_theirs_gets_into_a_page(pages: list[str]) -> None:
    assert [mark for mark in MARKS for page in pages if mark in page] == []


def test_nowhere_does_a_name_stand_alone(pages: list[str]) -> None:
    for page in pages:
        before = page.split("Alice &lt;alice@example.com&gt;")[:-1]
        assert all("eve@example.com" in part[-120:] for part in before)


@pytest.mark.parametrize("avatar", ["javascript:alert(1)", "data:text/html,x", "//x/y", "ftp://x/y", "x.png"])
def test_an_avatar_that_is_no_picture_is_refused(browser: Browser, bob: User, avatar: str) -> None:
    path = f"/admin/users/user/{bob.pk}/change/"
    page = text(browser.post(path, {**browser.form(path), "avatar": avatar}))
    assert "Use an https address" in page
    bob.refresh_from_db()
    assert bob.avatar is None


def test_one_of_before_does_not_keep_an_operator_from_changing_the_rest(browser: Browser, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(avatar="x.png")
    path = f"/admin/users/user/{bob.pk}/change/"
    browser.post(path, {**browser.form(path), "display_name": "Robert"})
    bob.refresh_from_db()
    assert (bob.display_name, bob.avatar) == ("Robert", "x.png")
