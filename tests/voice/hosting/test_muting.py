"""Owners mute anybody on the call, others themselves: Twilio does it, and it is seen at once."""

import pytest
from django.db import connections
from django.utils import timezone

from tests.access.conftest import member, owner, signed_in  # noqa: F401  # fixtures
from tests.doubles.server import Answer, Fault
from tests.doubles.twilio import error
from voice.models import Call


@pytest.fixture
def room(line, twilio_double):
    """A conference at Twilio, on which people are by their phones."""
    room = twilio_double.start_conference("1")["sid"]

    def join(user, name=None):
        sid = line.call(user, name)
        twilio_double.people[room].append(sid)
        line.joined += 1
        line.tell(line.joined, "participant-join", sid, conference=room)
        return sid

    join.sid = room
    return join


@pytest.fixture
def mute(api, group):
    def mute(user, muted=True, client=api, **kwargs):
        return client.put(f"/api/groups/{group.pk}/callParticipants/{user.pk}", {"muted": muted}, **kwargs)

    return mute


def who_is_muted(answer):
    assert answer.status_code == 200
    return [each["displayName"] for each in answer.json()["participants"] if each["muted"]]


def why(answer):
    return answer.status_code, answer.json()["code"]


def test_who_is_in_the_menu_of_their_keypad_is_muted_though_twilio_does_not_know_them_there(
    mute, room, line, twilio_double, alice
):
    sid = room(alice)
    line.tell(2, "participant-unmute", sid, conference=room.sid)
    Call.objects.filter(sid=sid).update(out_since=timezone.now())
    twilio_double.people[room.sid].remove(sid)
    assert who_is_muted(mute(alice)) == ["Alice"]
    Call.objects.filter(sid=sid).update(out_since=None)
    assert why(mute(alice)) == (409, "not_on_call")


def test_each_phone_of_theirs_is_muted_and_it_is_seen_at_once(mute, room, twilio_double, alice, bob):
    room(alice)
    phones = {room(bob), room(bob, "Bob's other phone")}
    assert who_is_muted(mute(bob)) == ["Bob"]
    assert twilio_double.muted == phones
    assert who_is_muted(mute(bob, muted=False)) == []
    assert twilio_double.muted == set()


def test_twice_is_once(mute, room, bob):
    room(bob)
    assert [who_is_muted(mute(bob)) for _ in range(2)] == [["Bob"], ["Bob"]]


def test_the_event_of_who_unmutes_themself_afterwards_counts(mute, room, tell, api, group, bob):
    sid = room(bob)
    mute(bob)
    tell(2, "participant-mute", sid, conference=room.sid)
    tell(3, "participant-unmute", sid, conference=room.sid)
    assert who_is_muted(api.get(f"/api/groups/{group.pk}/call")) == []


def test_owners_mute_anybody_and_members_themselves(mute, room, owner, member, alice, bob):  # noqa: F811
    room(alice), room(bob)
    assert mute(alice, client=member).status_code == 403
    assert who_is_muted(mute(bob, client=member)) == ["Bob"]
    assert who_is_muted(mute(bob, muted=False, client=member)) == []  # who is muted lets themself be heard
    assert who_is_muted(mute(bob, client=owner)) == ["Bob"]


def test_who_is_not_on_the_call_cannot_be_muted(mute, room, alice, bob, dave):
    room(alice)
    assert {why(mute(user)) for user in (bob, dave)} == {(409, "not_on_call")}


def test_of_whose_conference_has_just_ended_twilio_says_so_in_another_way(mute, room, twilio_double, bob):
    room(bob)
    twilio_double.fail_next(error(400, 20001, "Conference is not in-progress"))
    assert why(mute(bob)) == (409, "not_on_call")


def test_who_has_left_without_our_knowing_is_not_on_it_either(mute, room, twilio_double, bob):
    twilio_double.people[room.sid].remove(room(bob))
    assert why(mute(bob)) == (409, "not_on_call")


def test_somebody_who_does_not_exist_is_404(api, group):
    for body in ({"muted": True}, {}):
        assert api.put(f"/api/groups/{group.pk}/callParticipants/{10**12}", body).status_code == 404


@pytest.mark.parametrize("fault", [Fault.DROP, Answer(500, {}), error(429, 20429, "Too Many Requests")])
def test_where_twilio_does_not_answer_it_is_said_and_nothing_is_noted(
    mute, room, twilio_double, api, group, bob, fault
):
    room(bob)
    twilio_double.fail_next(fault, fault)
    answer = mute(bob)
    assert (*why(answer), answer["Retry-After"]) == (503, "telephony_unavailable", "10")
    assert who_is_muted(api.get(f"/api/groups/{group.pk}/call")) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("headers", [{}, {"If-None-Match": "*"}])
def test_twilio_is_asked_in_no_transaction(mute, room, twilio_double, bob, headers):
    room(bob)
    asked, work, ours = [], twilio_double.work, connections["default"]  # the double has a thread of its own
    twilio_double.work = lambda request: (asked.append(ours.in_atomic_block), work(request))[1]
    assert who_is_muted(mute(bob, headers=headers)) == ["Bob"]
    assert asked == [False]


def test_in_the_sandbox_it_is_seen_too(mute, leg, tell, bob):
    tell(1, "participant-join", leg(bob, "CA1"))
    assert who_is_muted(mute(bob)) == ["Bob"]


@pytest.mark.parametrize("body", [{"muted": None}, {"muted": "no way"}, {"hold": True}])
def test_what_cannot_be_is_refused_by_name(api, group, bob, body):
    answer = api.put(f"/api/groups/{group.pk}/callParticipants/{bob.pk}", body)
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (400, [*body])
