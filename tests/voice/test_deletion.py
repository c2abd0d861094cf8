"""Deleting a group or a person during a call ends the legs at Twilio."""

import pytest
from django.utils import timezone

from tests.doubles.server import Fault
from tests.neighbours import ours
from voice.hang_ups import end_conference
from voice.models import Conference


@pytest.fixture
def running(twilio_double, twilio_telephony, tell, leg, bob, group):
    """Bob is on a call of the group at Twilio."""
    sid = leg(bob, twilio_double.call(status="in-progress"))
    room = twilio_double.start_conference(str(group.pk))["sid"]
    twilio_double.people[room] = [sid]
    tell(1, "participant-join", sid, conference=room)
    return twilio_double


@pytest.fixture
def delete(api, committed):
    def delete(path):
        with committed():
            assert api.delete(path).status_code == 200

    return delete


def test_deleting_a_group_ends_its_call_at_twilio(delete, group, running):
    delete(f"/api/groups/{group.pk}")
    assert running.running_conferences() == []


def test_also_for_who_is_on_it_by_a_leg_of_which_nobody_told_us(delete, group, running):
    (room,) = running.people
    running.people[room].append(running.call(status="in-progress"))
    delete(f"/api/groups/{group.pk}")
    assert running.running_conferences() == []


@pytest.mark.parametrize("why", ["its group is there", "it has ended", "another one's group is gone"])
def test_what_need_not_end_is_left_alone(group, running, why):
    """By whatever job is left of before."""
    conference = ours(Conference).get()
    match why:
        case "it has ended":
            Conference.objects.filter(pk=conference.pk).update(group_id=10**9, ended_at=timezone.now())
        case "another one's group is gone":
            Conference.objects.create(sid="CF9", group_id=10**9)
    end_conference.func(conference.pk)
    assert [each["sid"] for each in running.running_conferences()] == [conference.pk]


def test_a_foreign_conference_of_the_same_name_goes_on(delete, group, running):
    foreign = running.start_conference(str(group.pk))
    delete(f"/api/groups/{group.pk}")
    assert running.running_conferences() == [foreign]


def test_a_group_that_is_on_no_call_needs_no_twilio(delete, group, twilio_double, twilio_telephony):
    delete(f"/api/groups/{group.pk}")
    assert twilio_double.requests == []


def test_deleting_a_person_hangs_up_on_them(delete, leg, bob, twilio_double, twilio_telephony):
    sid = leg(bob, twilio_double.call(status="in-progress"))
    delete(f"/api/users/{bob.pk}")
    assert twilio_double.calls[sid]["status"] == "completed"


def test_twilio_down_does_not_keep_a_group_from_going(delete, group, running):
    running.fail_next(*[Fault.SERVER_ERROR] * 4)
    delete(f"/api/groups/{group.pk}")


@pytest.mark.parametrize("ending", ["groups", "users"])
def test_not_even_a_fault_of_ours_does(delete, leg, group, bob, running, monkeypatch, ending):
    leg(bob, running.call(status="in-progress"))
    monkeypatch.setattr("voice.hang_ups.telephony", lambda: 1 / 0)
    delete(f"/api/{ending}/{group.pk if ending == 'groups' else bob.pk}")
