"""Owners choose the language in which their group is spoken to on the phone."""

import pytest
from django.utils import timezone

from groups.models import Group, Membership
from tests.neighbours import ours
from tests.voice.dial_in.conftest import BOBS
from tests.voice.dial_in.phone import ATTESTED, Phone
from users.models import VerifiedNumber
from voice.dial_in.codes import code_in
from voice.models import DialInNumber, GroupCall


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
    assert not ours(GroupCall).exists()


def test_it_leaves_the_other_rules_as_they_are(api, path, group):
    api.put(f"/api/groups/{group.pk}/call", {"locked": True})
    api.put(path, {"language": "de-DE"})
    assert ours(GroupCall).get().locked


@pytest.fixture
def numbers(db, group, bob):
    """Bob's telephone; and to whom he speaks, by what he dials."""
    VerifiedNumber.objects.create(user=bob, number=BOBS, verified_at=timezone.now())


def languages(twilio, dialled):
    return Phone(twilio, BOBS, dialled, ATTESTED).dial().languages


@pytest.mark.parametrize("dialled", ["+12025550100", "+493099999999"])
def test_a_group_of_which_nobody_has_chosen_is_spoken_to_in_english(twilio, numbers, dialled):
    assert languages(twilio, dialled) == {"en-US"}


def test_who_is_in_groups_of_two_languages_is_asked_in_that_of_the_number(twilio, numbers, group, bob):
    choir = Group.objects.create(name="Choir")
    Membership.objects.create(group=choir, user=bob)
    GroupCall.objects.create(group=choir, language="de-DE")
    assert languages(twilio, "+12025550100") == {"en-US"}
    assert languages(twilio, "+493099999999") == {"de-DE"}
    GroupCall.objects.create(group=group, language="de-DE")
    assert languages(twilio, "+12025550100") == {"de-DE"}


def test_what_a_group_has_chosen_tells_nothing_of_another_number(twilio, group):
    DialInNumber.objects.create(group=group, number="+493012345678")
    GroupCall.objects.create(group=group, language="en-GB")
    assert Phone(twilio, "anonymous", "+493012345678").dial().languages == {"en-GB"}
    assert Phone(twilio, "anonymous", "+493099999999").dial().languages == {"de-DE"}
