"""Who did what stays known: an account that has done anything in the admin is disabled, and never deleted."""

import pytest
from django.contrib.admin.models import CHANGE, LogEntry

from tests.admin.conftest import delete, delete_together, history, text
from tests.admin.test_in_parts import PARTS, PEOPLE
from tests.neighbours import ours
from users.models import User
from users.sign_in.local_issuer import local_token


@pytest.fixture
def ruth(db, alice):
    """An operator who has once changed Alice."""
    ruth = User.objects.create(email="ruth@example.com", display_name="Ruth", is_staff=True)
    LogEntry.objects.log_actions(ruth.pk, [alice], CHANGE, "Changed Display name.", single_object=True)
    return ruth


@pytest.mark.parametrize("remove", [delete, delete_together])
def test_the_admin_says_so_before_the_button_and_after_it(browser, ruth, remove):
    for page in (browser.get(f"/admin/users/user/{ruth.pk}/delete/"), remove(browser, ruth)):
        assert "what was done in the admin by #" in text(page)
        assert "take away “active” instead" in text(page)
        assert 'value="Yes' not in text(page)
    assert history() == [("ruth@example.com", "Changed Display name.")]


@pytest.mark.parametrize("remove", [delete, delete_together])
def test_nobody_deletes_themself_there(browser, root, remove):
    assert "what was done in the admin by #" in text(remove(browser, root))
    assert User.objects.filter(pk=root.pk).exists()


def test_an_operator_among_very_many_is_named_and_nobody_is_deleted(browser, root, ruth):
    User.objects.bulk_create(User(email=f"p{n}@example.com", display_name=f"P{n}") for n in range(201))
    chosen = list(ours(User).filter(is_staff=False).values_list("pk", flat=True))
    page = browser.post(PEOPLE, {"action": "delete_selected", "_selected_action": [ruth.pk, *chosen]}, follow=True)
    assert f"Leave out: #{ruth.pk}." in text(page)
    page = browser.post(PEOPLE, {"action": "delete_selected", "_selected_action": [root.pk, *chosen]}, follow=True)
    assert f"Leave out: #{root.pk}." in text(page)
    asked = browser.post(PEOPLE, {"action": "delete_selected", "_selected_action": chosen})
    LogEntry.objects.update(user=chosen[0])
    before = ours(User).count()
    assert browser.post(PARTS, {"rest": asked.context["rest"], "why": "Over"}).status_code == 403
    assert ours(User).count() == before


def test_the_api_refuses_it_in_words(api, sign_in, ruth):
    headers = {"Authorization": f"Bearer {local_token(ruth.email)}"}
    answer = api.delete(f"/api/users/{ruth.pk}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "has_history")
    assert "must stay known" in answer.json()["detail"]
    assert history() == [("ruth@example.com", "Changed Display name.")]


def test_an_operator_who_has_done_nothing_yet_is_deleted(browser, ruth):
    LogEntry.objects.all().delete()
    assert delete(browser, ruth).status_code == 302
    assert not User.objects.filter(pk=ruth.pk).exists()
