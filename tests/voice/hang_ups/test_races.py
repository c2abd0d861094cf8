"""Somebody loses their place at the moment in which Twilio tells about them."""

import pytest

from groups.models import Group, Membership, Participant
from groups.services import lock_group, remove_person
from tests.neighbours import ours
from tests.voice.conferences.test_event_races import at_once, receive
from voice.models import Call, HangUp

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("on_postgresql", "sign_in")]


def told():
    return list(ours(HangUp).values_list("call__sid", "why"))


def remove(bob, group, people=Membership):
    remove_person(group_id=group.pk, user_id=bob.pk, people=people)


def test_who_joins_while_they_are_removed_is_hung_up_on(group, bob):
    def join():
        Call.objects.create(sid="CA1", user_id=bob.pk, group_id=group.pk)  # the removal did not see it
        receive(1, "participant-join", "CA1", group=group)

    at_once(lambda: remove(bob, group), join)
    assert told() == [("CA1", "no_part")]


def test_who_joins_while_their_group_is_deleted_is_hung_up_on(group, bob):
    def join():
        Call.objects.create(sid="CA1", user_id=bob.pk, group_id=group.pk)
        receive(1, "participant-join", "CA1", group=group)

    at_once(Group.objects.get(pk=group.pk).delete, join)
    assert told() == [("CA1", "group_gone")]


@pytest.mark.parametrize("people", [Membership, Participant])
def test_who_is_removed_while_they_join_is_hung_up_on(leg, group, bob, people):
    leg(bob, "CA1")
    Participant.objects.create(group=group, user=bob)
    at_once(lambda: receive(1, "participant-join", "CA1", group=group), lambda: remove(bob, group, people))
    assert [sid for sid, _ in told()] == ["CA1"]


def test_a_removal_does_not_wait_for_an_event_that_waits_for_the_group(leg, group, bob):
    """An event locks legs and then the group; a removal has locked the group."""
    leg(bob, "CA1")
    at_once(
        lambda: Call.objects.select_for_update(no_key=True).get(sid="CA1"),
        lambda: remove(bob, group),
        then=lambda: lock_group(group.pk),
    )
    assert told() == [("CA1", "no_part")]


def test_two_reasons_at_once_wait_for_nobody(leg, group, bob):
    leg(bob, "CA1")

    def disable():
        bob.is_active = False
        bob.save()

    at_once(lambda: remove(bob, group), disable)
    assert {sid for sid, _ in told()} == {"CA1"}
