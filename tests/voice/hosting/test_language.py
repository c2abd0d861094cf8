"""Owners choose the language in which their group is spoken to on the phone."""

import pytest

from tests.voice.dial_in.phone import Phone
from voice.dial_in.codes import code_in
from voice.models import GroupCall


@pytest.fixture
def path(group):
    return f"/api/groups/{group.pk}/call/language"


def test_it_is_english_until_somebody_chooses(api, path):
    assert api.get(path).json() == {"language": "en-US"}


@pytest.mark.parametrize("language", ["de-DE", "de-AT", "en-GB", "de"])
def test_what_is_chosen_is_shown(api, path, language):
    assert api.put(path, {"language": language}).json() == api.get(path).json() == {"language": language}


def test_the_group_is_spoken_to_in_it(api, path, twilio, group, bob, db):
    api.put(path, {"language": "de-DE"})
    phone = Phone(twilio, "anonymous").dial().press(code_in(group_id=group.pk, user_id=bob.pk))
    assert (phone.heard[1], phone.languages) == ("Sie kommen jetzt zur Gruppe Family.", {"de-DE"})


@pytest.mark.parametrize("language", ["fr-FR", "", "German", "de_DE", "de-", "en-US\n", None, 7, "de" + "-x" * 20])
def test_what_we_do_not_speak_is_refused_by_name(api, path, language):
    answer = api.put(path, {"language": language}, format="json")
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (400, ["language"])
    assert not GroupCall.objects.exists()


def test_it_leaves_the_other_rules_as_they_are(api, path, group):
    api.put(f"/api/groups/{group.pk}/call", {"locked": True})
    api.put(path, {"language": "de-DE"})
    assert GroupCall.objects.get().locked
