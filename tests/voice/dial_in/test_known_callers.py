"""Who is known by their number, and vouched for by its network, walks in."""

import time

import pytest
from django.utils import timezone

from groups.models import Group, Membership, Ownership
from tests.conftest import person
from tests.neighbours import ours
from tests.voice.dial_in.conftest import BOBS
from tests.voice.dial_in.phone import Phone
from users.models import VerifiedNumber
from voice.models import Call, DialInNumber, GroupCall


def test_a_known_caller_walks_in_and_hears_the_groups_name_twice(phone, verify, bob, alice, group):
    verify(bob)
    call = phone()
    assert call.group_id == group.pk
    assert call.heard == [
        f"{group.name}.",
        f"You are joining the group {group.name}.",
        "Press star at any time for help.",
    ]
    leg = ours(Call).get()
    assert (leg.user_id, leg.group_id, leg.payer.user) == (bob.pk, group.pk, alice)
    assert (leg.caller, leg.called, leg.direction) == (BOBS, "+12025550100", "inbound")


NOT_VOUCHED_FOR = [
    *(None, "", "TN-Validation-Passed-B", "TN-Validation-Passed-C", "TN-Validation-Failed-A", "No-TN-Validation"),
    *("TN-Validation-Passed-A-Diverted-A", "TN-Validation-Passed-A-Passthrough", "tn-validation-passed-a"),
]


@pytest.mark.parametrize("stir", NOT_VOUCHED_FOR)
def test_a_number_that_nobody_vouches_for_is_asked_for_a_code(phone, verify, bob, stir):
    verify(bob)
    assert "type your code" in phone(stir=stir).words
    assert not ours(Call).exists()


def test_an_operator_may_trust_every_number(phone, verify, bob, group, settings):
    settings.TRUST_CALLER_ID = "always"
    verify(bob)
    assert phone(stir=None).group_id == group.pk


@pytest.mark.parametrize(
    "caller", ["sip:bob@example.com", f"whatsapp:{BOBS}", f"sip:{BOBS}@x", "anonymous", "", "client:u_{bob.pk}"]
)
def test_sip_whatsapp_and_withheld_callers_are_telephones_without_a_number(phone, verify, bob, group, settings, caller):
    settings.TRUST_CALLER_ID = "always"
    verify(bob)
    assert "type your code" in phone(caller.format(bob=bob)).words


def test_a_number_that_is_only_said_to_be_theirs_tells_nobody(phone, bob):
    bob.phone_number = int(BOBS[1:])
    bob.save()
    assert "type your code" in phone().words


def test_who_is_in_no_group_is_asked_for_a_code(phone, verify, dave):
    verify(dave)
    assert "type your code" in phone().words


def test_a_disabled_account_is_told_so(phone, verify, bob):
    bob.is_active = False
    bob.save()
    verify(bob)
    assert phone().heard == ["Your account is disabled. Please ask the operator."] * 2


def test_also_in_german_on_a_german_number(phone, verify, bob):
    bob.is_active = False
    bob.save()
    verify(bob)
    assert phone(dialled="+493099999999").languages == {"de-DE"}


# Several groups


@pytest.mark.parametrize(("seconds", "is_in"), [(3590, True), (3610, False)])
def test_that_a_network_vouches_for_a_caller_is_believed_for_an_hour(
    phone, verify, bob, group, monkeypatch, seconds, is_in
):
    """So long a call may hesitate over a menu. Twilio says it with the first request alone."""
    Membership.objects.create(user=bob, group=Group.objects.create(name="Choir"))
    verify(bob)
    call, now = phone(), time.time()
    monkeypatch.setattr(time, "time", lambda: now + seconds)
    call.press("1")
    assert (call.conference is not None) == is_in
    assert ("type your code" in call.words) != is_in


@pytest.fixture
def groups(bob, group):
    """Bob's, twelve in all."""
    more = [Group.objects.create(name=f"Choir {number}") for number in range(2, 13)]
    for each in more:
        Membership.objects.create(user=bob, group=each)
    return [group, *more]


def test_of_several_groups_one_is_chosen_by_a_key(phone, verify, bob, groups):
    verify(bob)
    call = phone()
    assert call.heard[:4] == [
        *("Which group would you like to join?", f"Press 1 for {groups[0].name}."),
        *("Press 2 for Choir 2.", "Press 3 for Choir 3."),
    ]
    assert call.heard[9:] == ["Press 9 for more.", *call.heard[:10]]
    assert call.press("3").group_id == groups[2].pk


def test_more_than_eight_are_read_page_by_page(phone, verify, bob, groups):
    verify(bob)
    call = phone().press("9")
    assert call.heard[1:6] == [
        *(f"Press {key} for Choir {key + 8}." for key in range(1, 5)),
        "Press 9 to hear the first ones again.",
    ]
    assert "Choir 2" in call.press("9").words
    assert call.press("9").press("4").group_id == groups[11].pk


def test_where_groups_go_meanwhile_those_that_are_left_are_read(phone, verify, bob, groups):
    verify(bob)
    call = phone().press("9")
    Membership.objects.filter(user=bob, group__in=groups[2:]).delete()
    assert call.press("5").heard[-2:] == [f"Press 1 for {groups[0].name}.", "Press 2 for Choir 2."]
    assert call.press("2").group_id == groups[1].pk


@pytest.mark.parametrize("key", ["3", "7", "0", "*", "9", "٢", "1x", "x", pytest.param("1" * 5000, id="long")])
def test_a_wrong_key_is_asked_again_and_three_are_the_end(phone, verify, bob, group, key):
    verify(bob)
    Membership.objects.create(user=bob, group=Group.objects.create(name="Choir"))
    call = phone()
    call.gather.set("numDigits", "9999")
    call.press(key)
    if key == "1x":
        return
    assert call.heard[0] == "This key is not one of them."
    call.press("8")
    assert "We have heard no key" in call.press("8").words
    assert call.is_over


def test_who_presses_nothing_is_asked_three_times(phone, verify, bob, group):
    verify(bob)
    Membership.objects.create(user=bob, group=Group.objects.create(name="Choir"))
    assert phone().wait().wait().heard[0] == "Which group would you like to join?"
    assert phone().wait().wait().wait().is_over


def test_who_has_asked_for_more_is_asked_three_times_again(phone, verify, bob, groups):
    verify(bob)
    call = phone().wait().wait().press("9").wait().wait()
    assert "Which group" in call.words
    assert call.wait().is_over


def test_a_key_means_what_was_read_though_the_groups_change(phone, verify, bob, groups):
    verify(bob)
    call = phone()
    Membership.objects.filter(user=bob, group=groups[1]).delete()
    assert call.press("3").group_id == groups[2].pk


def test_a_group_that_was_lost_meanwhile_is_asked_about_again(phone, verify, bob, groups):
    verify(bob)
    call = phone()
    Membership.objects.filter(user=bob, group=groups[2]).delete()
    call.press("3")
    assert call.group_id is None
    assert "Which group" in call.words


# Two people of one landline


@pytest.fixture
def landline(verify, alice, bob, group):
    verify(alice)
    verify(bob)


def test_two_people_of_one_landline_say_who_they_are(phone, landline, alice, bob):
    assert phone().heard[:3] == ["Who is calling?", "Press 1 for Alice.", "Press 2 for Bob."]
    phone().press("2")
    phone().press("1")
    assert [call.user_id for call in ours(Call).order_by("pk")] == [bob.pk, alice.pk]


def test_only_who_can_be_meant_is_asked_for(phone, landline, verify, dave, bob, group):
    verify(dave)
    assert "Dave" not in phone().words
    Ownership.objects.filter(group=group).delete()
    Membership.objects.filter(group=group).exclude(user=bob).delete()
    phone()
    assert ours(Call).get().user_id == bob.pk


def test_then_each_hears_their_own_groups(phone, landline, bob, group):
    Membership.objects.create(user=bob, group=Group.objects.create(name="Choir"))
    call = phone().press("2")
    assert call.heard[:3] == ["Which group would you like to join?", f"Press 1 for {group.name}.", "Press 2 for Choir."]
    call.press("2")
    assert ours(Call).get().user_id == bob.pk


def test_after_the_last_page_of_people_groups_begin_with_the_first(phone, verify, group):
    people = [person(f"P{number}") for number in range(9)]
    for each in people:
        Membership.objects.create(user=each, group=group)
        verify(each)
    for number in range(9):
        Membership.objects.create(user=people[8], group=Group.objects.create(name=f"Choir {number}"))
    call = phone().press("9").press("1")
    assert call.heard[:2] == ["Which group would you like to join?", f"Press 1 for {group.name}."]


def test_who_has_said_who_they_are_is_asked_three_times_again(phone, landline, bob):
    Membership.objects.create(user=bob, group=Group.objects.create(name="Choir"))
    call = phone().wait().wait().press("2").wait().wait()
    assert "Which group" in call.words


def test_there_is_time_to_look_for_glasses_before_a_key(phone, verify, bob, groups):
    verify(bob)
    assert phone().gather.get("timeout") == "10"


def test_who_was_chosen_and_is_known_no_more_is_not_taken_for_another(phone, landline, alice, bob):
    call = phone()
    VerifiedNumber.objects.filter(user=bob).delete()
    call.press("2")
    assert not ours(Call).exists()
    assert call.heard[:2] == ["Who is calling?", "Press 1 for Alice."]


def test_what_was_lost_and_has_come_back_is_joined_by_a_key_alone(phone, verify, bob, groups):
    verify(bob)
    call = phone()
    Membership.objects.filter(user=bob, group=groups[2]).delete()
    call.press("3")
    Membership.objects.create(user=bob, group=groups[2])
    assert call.wait().heard[0] == "Which group would you like to join?"


def test_who_was_known_no_more_and_is_again_says_once_more_who_they_are(phone, landline, bob):
    call = phone()
    VerifiedNumber.objects.filter(user=bob).delete()
    call.press("2")
    VerifiedNumber.objects.create(user=bob, number=BOBS, verified_at=timezone.now())
    assert call.wait().heard[0] == "Who is calling?"


def test_who_was_alone_on_their_line_is_not_asked_who_they_are_when_it_is_anothers_too(
    phone, verify, bob, alice, group
):
    choir = Group.objects.create(name="Choir")
    Membership.objects.create(user=bob, group=choir)
    verify(bob)
    call = phone()
    verify(alice)
    assert call.press("2").group_id == choir.pk
    assert ours(Call).get().user_id == bob.pk


# A group's own number


@pytest.fixture
def own_number(group):
    return DialInNumber.objects.create(group=group, number="+493012345678").number


def test_a_groups_own_number_leads_to_it_alone(phone, verify, bob, groups, own_number):
    verify(bob)
    assert phone(dialled=own_number).group_id == groups[0].pk


def test_who_is_not_in_that_group_is_asked_for_a_code(phone, verify, bob, dave, own_number):
    Membership.objects.create(user=dave, group=Group.objects.create(name="Choir"))
    verify(dave)
    assert "Code" in phone(dialled=own_number).words


def test_a_group_is_spoken_to_in_its_own_language(phone, verify, bob, group):
    GroupCall.objects.create(group=group, language="de-DE")
    verify(bob)
    call = phone()
    assert (call.heard[1], call.languages) == (f"Sie kommen jetzt zur Gruppe {group.name}.", {"de-DE"})


def test_who_is_not_known_yet_is_spoken_to_as_the_number_is(phone, group, own_number):
    assert "Bitte tippen Sie" in phone(dialled="+493099999999", stir=None).words
    assert "Please type" in phone(stir=None).words
    rules = GroupCall.objects.create(group=group, locked=True)
    assert phone(dialled=own_number, stir=None).languages == {"de-DE"}
    rules.language = "en-GB"
    rules.save()
    assert phone(dialled=own_number, stir=None).languages == {"en-GB"}


# What is not ours


@pytest.mark.parametrize("step", ["", "x", "eyJ4IjoxfQ:1x:y", "é", "a" * 9000])
def test_a_step_that_is_not_ours_begins_anew(twilio, verify, bob, group, step):
    from urllib.parse import urlencode

    verify(bob)
    call = Phone(twilio, BOBS)
    call.ask(f"/api/voice/dialIn?{urlencode({'step': step})}", Digits="1")
    assert "type your code" in call.words


def test_a_step_of_another_call_vouches_for_nobody(phone, twilio, verify, bob, group):
    Membership.objects.create(user=bob, group=Group.objects.create(name="Choir"))
    verify(bob)
    address = phone().gather.get("action")
    call = Phone(twilio, BOBS).ask(address, Digits="1")
    assert "type your code" in call.words
    assert not ours(Call).exists()
