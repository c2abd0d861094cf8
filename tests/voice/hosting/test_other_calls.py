"""Whoever is on two groups' calls is seen, muted and put out on each by itself."""

import pytest

from groups.models import Group, Membership, Ownership
from tests.conftest import person
from tests.voice.api.test_phone_callers import verify


@pytest.fixture
def choir(bob):
    """Zoe's group, of which Bob is a member, too."""
    choir = Group.objects.create(name="Choir")
    Ownership.objects.create(group=choir, user=person("Zoe"))
    Membership.objects.create(group=choir, user=bob)
    return choir


@pytest.fixture
def join(line, twilio_double, twilio, group):
    """A phone joins a group's call at Twilio; nobody whom we know, where no user is named."""
    rooms = {}

    def join(user=None, of=group, by=""):
        if of.pk not in rooms:
            rooms[of.pk] = twilio_double.start_conference(str(of.pk))["sid"]
        sid, room = twilio_double.call(status="in-progress"), rooms[of.pk]
        twilio_double.people[room].append(sid)
        if user:
            twilio("/api/voice/makeCall", to=of.pk, From=by or f"client:u_{user.pk}", CallSid=sid)
        line.joined += 1
        line.tell(line.joined, "participant-join", sid, conference=room, FriendlyName=of.pk)
        return sid

    join.rooms = rooms
    return join


@pytest.fixture
def seen(api):
    def seen(of):
        found = api.get(f"/api/groups/{of.pk}/call").json()
        return [(each["displayName"], each["muted"]) for each in found["participants"]], found["unknownCallers"]

    return seen


def test_on_each_stand_its_own(join, seen, group, choir, alice, bob):
    join(alice), join(bob, choir), join(None, choir)
    assert seen(group) == ([("Alice", False)], 0)
    assert seen(choir) == ([("Bob", False)], 1)


def test_who_is_muted_on_one_is_heard_on_the_other(api, join, seen, twilio_double, group, choir, bob):
    here, there = join(bob), join(bob, choir)
    assert api.put(f"/api/groups/{group.pk}/callParticipants/{bob.pk}", {"muted": True}).status_code == 200
    assert (twilio_double.muted, seen(choir)) == ({here}, ([("Bob", False)], 0))
    assert there not in twilio_double.muted


def test_who_is_on_another_groups_call_alone_cannot_be_muted_here(api, join, twilio_double, group, choir, bob):
    join(bob, choir)
    answer = api.put(f"/api/groups/{group.pk}/callParticipants/{bob.pk}", {"muted": True})
    assert (answer.status_code, answer.json()["code"], twilio_double.muted) == (409, "not_on_call", set())


def test_nobody_else_is_muted_with_them(api, join, seen, group, alice, bob):
    join(alice), join(bob)
    api.put(f"/api/groups/{group.pk}/callParticipants/{bob.pk}", {"muted": True})
    assert seen(group) == ([("Alice", False), ("Bob", True)], 0)


def test_who_is_muted_by_one_phone_and_has_left_by_the_other_is_muted(api, join, seen, twilio_double, group, bob):
    gone, here = join(bob), join(bob)
    twilio_double.people[join.rooms[group.pk]].remove(gone)
    assert api.put(f"/api/groups/{group.pk}/callParticipants/{bob.pk}", {"muted": True}).status_code == 200
    assert twilio_double.muted == {here}


def test_a_phone_that_was_told_to_have_left_is_not_muted_with_the_other(api, join, tell, twilio_double, group, bob):
    gone, here = join(bob), join(bob)
    tell(9, "participant-leave", gone, conference=join.rooms[group.pk])
    assert api.put(f"/api/groups/{group.pk}/callParticipants/{bob.pk}", {"muted": True}).status_code == 200
    assert twilio_double.muted == {here}


def test_by_what_somebody_joined_first_stands_there(api, join, group, bob):
    verify(bob)
    join(bob, by=bob.verified_number.number), join(bob)
    (shown,) = api.get(f"/api/groups/{group.pk}/call").json()["participants"]
    assert shown["by"] == "phone"


def test_unknown_phones_on_another_groups_call_talk_on(api, join, seen, twilio_double, committed, group, choir):
    here, there = join(None), join(None, choir)
    with committed():
        answer = api.delete(f"/api/groups/{group.pk}/call/unknownCallers")
    assert answer.json() == {"count": "1 unknown caller(s) removed"}
    assert {sid: twilio_double.calls[sid]["status"] for sid in (here, there)} == {
        here: "completed",
        there: "in-progress",
    }
    assert seen(choir) == ([], 1)


def test_who_has_gone_already_is_not_counted_again(api, join, twilio, tell, committed, group):
    gone, _ = join(None), join(None)
    tell(9, "participant-leave", gone, conference=join.rooms[group.pk])
    twilio("/api/voice/callEvents", CallSid=gone, CallStatus="completed", CallDuration="61")
    with committed():
        assert api.delete(f"/api/groups/{group.pk}/call/unknownCallers").json()["count"].startswith("1 ")
