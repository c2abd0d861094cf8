"""By which ways a person wants to be told."""

import pytest

from tests.neighbours import ours
from users.models import NotificationChoices

DEFAULTS = {"push": True, "email": True, "sms": False}


@pytest.fixture
def path(alice):
    return f"/api/users/{alice.pk}/notifications"


def test_who_has_never_chosen_has_the_defaults_and_no_row(api, path):
    assert api.get(path).json() == DEFAULTS
    assert list(api.get(path).json()) == ["push", "email", "sms"]
    assert not ours(NotificationChoices).exists()


@pytest.mark.parametrize("name", DEFAULTS)
def test_each_is_chosen_alone_and_the_others_stay(api, path, name):
    chosen = {**DEFAULTS, name: not DEFAULTS[name]}
    assert api.put(path, {name: chosen[name]}).json() == chosen
    assert api.get(path).json() == chosen
    assert api.put(f"{path}/", {"push": False}).json() == {**chosen, "push": False}


def test_naming_nothing_changes_nothing(api, path):
    assert api.put(path, {}).json() == DEFAULTS
    assert not ours(NotificationChoices).exists()


@pytest.mark.parametrize("body", [{"push": "perhaps"}, {"push": None}, {"email": 2}, {"sms": [True]}, {"fax": True}])
def test_what_is_no_choice_is_refused_by_name(api, path, body):
    answer = api.put(path, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert [each["field"].partition("[")[0] for each in answer.json()["errors"]] == list(body)
    assert not ours(NotificationChoices).exists()


def test_what_is_wrong_in_one_leaves_the_others_too(api, path):
    assert api.put(path, {"push": False, "email": "never"}).status_code == 400
    assert api.get(path).json() == DEFAULTS


def test_choices_of_nobody_are_404(api, db):
    assert api.get("/api/users/999/notifications").status_code == 404
    assert api.put("/api/users/999/notifications", {"sms": True}).status_code == 404


def test_they_go_with_the_person(api, path, alice):
    api.put(path, {"sms": True})
    assert api.delete(f"/api/users/{alice.pk}").status_code == 200
    assert not ours(NotificationChoices).exists()
