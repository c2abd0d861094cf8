"""Twilio's callbacks, and the call list that follows from them."""

import random

import pytest

from groups.models import Group, Participant, SandboxNotification
from tests.neighbours import ours
from tests.voice.conftest import EVENTS, sign
from voice.conferences.fold import fold
from voice.models import Call, Conference, ConferenceEvent

CALLS = "/api/voice/callEvents"


def is_on_a_call(api, user):
    return api.get(f"/api/users/{user.pk}").json()["callStatus"]


def test_a_call_is_seen_from_the_first_join_to_the_last_leave(tell, leg, shown, alice, bob):
    tell(1, "participant-join", leg(alice, "CA1"))
    assert shown() == (["Alice"], True)
    tell(2, "participant-join", leg(bob, "CA2"))
    tell(3, "conference-start", "CA2")
    assert shown() == (["Alice", "Bob"], True)
    tell(4, "participant-leave", "CA1")
    assert shown() == (["Bob"], True)
    tell(5, "participant-leave", "CA2")
    tell(6, "conference-end", "CA2")
    assert shown() == ([], False)


def test_a_persons_own_call_status_follows(tell, leg, api, alice):
    tell(1, "participant-join", leg(alice, "CA1"))
    assert is_on_a_call(api, alice) is True
    tell(2, "participant-leave", "CA1")
    assert is_on_a_call(api, alice) is False


def test_any_order_and_any_repetition_end_the_same(tell, leg, shown, alice, bob):
    leg(alice, "CA1"), leg(bob, "CA2")
    told = [
        (1, "participant-join", "CA1"),
        (2, "participant-join", "CA2"),
        (3, "conference-start", "CA2"),
        (4, "participant-leave", "CA1"),
        (5, "participant-mute", "CA2"),
    ] * 3
    random.Random(7).shuffle(told)  # repeatable, not secret
    for event in told:
        tell(*event)
    assert shown() == (["Bob"], True)
    assert ours(ConferenceEvent).count() == 5


def test_a_leave_that_overtakes_its_join_leaves_no_ghost(tell, leg, shown, alice):
    leg(alice, "CA1")
    tell(2, "participant-leave", "CA1")
    tell(1, "participant-join", "CA1")
    assert shown() == ([], False)


def test_after_the_end_a_late_join_reopens_nothing(tell, leg, shown, alice):
    leg(alice, "CA1")
    tell(3, "conference-end")
    tell(1, "participant-join", "CA1")
    tell(4, "participant-join", "CA1")
    assert shown() == ([], False)


def test_two_phones_of_one_person_are_one_participant_until_both_hang_up(tell, leg, shown, alice):
    tell(1, "participant-join", leg(alice, "CA1"))
    tell(2, "participant-join", leg(alice, "CA2"))
    tell(3, "participant-leave", "CA1")
    assert shown() == (["Alice"], True)
    tell(4, "participant-leave", "CA2")
    assert shown() == ([], False)


def test_two_conferences_of_one_group_do_not_end_each_other(tell, leg, shown, alice, bob):
    tell(1, "participant-join", leg(alice, "CA1"), conference="CF1")
    tell(1, "participant-join", leg(bob, "CA2"), conference="CF2")
    tell(2, "conference-end", conference="CF1")
    assert shown() == (["Bob"], True)


def test_a_completed_call_is_off_the_list_even_if_its_leave_is_lost(tell, leg, shown, twilio, alice):
    tell(1, "participant-join", leg(alice, "CA1"))
    twilio(CALLS, CallSid="CA1", CallStatus="completed", CallDuration="61")
    assert shown() == ([], False)
    call = ours(Call).get()
    assert (call.duration, call.status) == (61, "completed")
    tell(2, "participant-join", "CA1")
    assert shown() == ([], False)


def test_rows_that_clients_post_stay_beside_the_legs(tell, leg, shown, api, group, alice, dave):
    api.post(f"/api/groups/{group.pk}/callParticipants", {"userId": dave.pk})
    tell(1, "participant-join", leg(alice, "CA1"))
    tell(2, "participant-leave", "CA1")
    assert shown()[0] == ["Dave"]


def test_a_clients_delete_takes_effect_at_once_and_the_next_event_corrects_it(tell, leg, shown, api, group, alice, bob):
    tell(1, "participant-join", leg(alice, "CA1"))
    api.delete(f"/api/groups/{group.pk}/callParticipants/{alice.pk}")
    assert shown()[0] == []
    tell(2, "participant-join", leg(bob, "CA2"))
    assert sorted(shown()[0]) == ["Alice", "Bob"]


def test_a_row_that_a_client_posted_first_goes_with_the_leave(tell, leg, shown, api, group, alice):
    api.post(f"/api/groups/{group.pk}/callParticipants", {"userId": alice.pk})
    tell(1, "participant-join", leg(alice, "CA1"))
    tell(2, "participant-leave", "CA1")
    assert shown()[0] == []


def test_a_late_event_of_an_ended_conference_leaves_what_came_after_it(tell, leg, shown, api, group, alice):
    tell(1, "participant-join", leg(alice, "CA1"))
    tell(5, "conference-end")
    api.post(f"/api/groups/{group.pk}/callParticipants", {"userId": alice.pk})
    tell(3, "participant-mute", "CA1")
    assert shown()[0] == ["Alice"]


def test_an_unknown_leg_counts_for_the_group(tell, shown):
    tell(1, "participant-join", "CA404")
    assert shown() == ([], True)


@pytest.mark.parametrize("number", ["", "x", "-1", "1.5", "٣", "9" * 19, 2**63, "9" * 25, "0" * 20])
def test_an_event_without_a_usable_number_is_kept_and_changes_nothing(tell, leg, shown, alice, number):
    tell(number, "participant-join", leg(alice, "CA1"))
    assert shown() == ([], False)
    assert ours(ConferenceEvent).get().sequence_number is None


def test_each_event_without_a_number_is_kept(tell, leg):
    tell("", "participant-join", "CA1")
    tell("", "participant-leave", "CA1")
    assert {event.kind for event in ours(ConferenceEvent).all()} == {"participant-join", "participant-leave"}


def test_of_what_twilio_tells_nothing_is_kept_by_which_a_person_is_known(twilio, group):
    params = {"ConferenceSid": "CF1", "FriendlyName": group.pk, "SequenceNumber": 1, "CallSid": "CA1", "Muted": "true"}
    params |= {"StatusCallbackEvent": "participant-join", "From": "+12025550111", "CallerName": "ALICE"}
    assert twilio(EVENTS, sign(EVENTS, params), **params).status_code == 204
    kept = ours(ConferenceEvent).get().payload
    assert kept["Muted"] == "true"
    assert not kept.keys() & {"From", "CallerName"}


@pytest.mark.parametrize("number", [0, "007", 2**63 - 1])
def test_the_least_and_the_largest_number_count(tell, leg, shown, alice, number):
    tell(number, "participant-join", leg(alice, "CA1"))
    assert shown() == (["Alice"], True)
    assert ours(ConferenceEvent).get().sequence_number == int(number)


@pytest.mark.parametrize("name", ["", "family"])
def test_of_a_conference_that_is_known_an_event_counts_whatever_it_calls_it(tell, leg, shown, alice, name):
    tell(1, "participant-join", leg(alice, "CA1"))
    tell(2, "participant-leave", "CA1", FriendlyName=name)
    assert shown() == ([], False)


def test_of_two_events_with_one_number_the_first_counts(tell, leg, shown, alice):
    tell(1, "participant-join", leg(alice, "CA1"))
    tell(1, "conference-end")
    assert shown() == (["Alice"], True)


@pytest.mark.parametrize(
    "change",
    [
        {"ConferenceSid": ""},
        {"ConferenceSid": "x" * 99},
        {"FriendlyName": "family"},
        {"FriendlyName": "9" * 30},
        {"CallSid": "\x00"},
        {"StatusCallbackEvent": "y" * 999},
        {"Reason": "\x00 odd"},
    ],
)
def test_whatever_is_authentic_is_answered_204(twilio, group, change):
    params = {"ConferenceSid": "CF1", "FriendlyName": group.pk, "SequenceNumber": 1, "StatusCallbackEvent": "x"}
    assert twilio(EVENTS, **{**params, **change}).status_code == 204


@pytest.mark.parametrize("sid", ["", "CF 1", "CF1\n", "x" * 65])
def test_an_event_of_what_can_be_no_conference_is_left_aside(twilio, group, sid):
    params = {"ConferenceSid": sid, "FriendlyName": group.pk, "SequenceNumber": 1, "CallSid": "CA1"}
    assert twilio(EVENTS, StatusCallbackEvent="participant-join", **params).status_code == 204
    assert not ours(Conference).exists()


def test_an_event_of_what_can_be_no_leg_puts_nobody_on_the_call(tell, shown):
    tell(1, "participant-join", "CA 1")
    assert (shown(), ours(Call).count()) == (([], False), 0)
    assert ours(ConferenceEvent).get().call_sid == ""


def test_the_end_of_what_can_be_no_leg_is_left_aside(twilio, db):
    assert twilio(CALLS, CallSid="CA 1", CallStatus="completed").status_code == 204
    assert not ours(Call).exists()


@pytest.mark.parametrize("params", [{}, {"CallSid": "CA404"}, {"CallSid": "CA404", "CallStatus": "nonsense"}])
def test_a_call_event_that_ends_nothing_is_answered_204(twilio, db, params):
    assert twilio(CALLS, **params).status_code == 204
    assert not ours(Call).exists()


def test_a_call_that_ended_before_it_was_known_is_never_on(tell, leg, shown, twilio, alice):
    twilio(CALLS, CallSid="CA1", CallStatus="completed", CallDuration="61")
    tell(1, "participant-join", leg(alice, "CA1"))
    assert shown() == ([], False)
    assert (ours(Call).get().user_id, ours(Call).get().duration) == (alice.pk, 61)


def test_a_call_that_failed_costs_nothing_and_is_not_asked_about(leg, twilio, alice):
    twilio(CALLS, CallSid=leg(alice, "CA1"), CallStatus="no-answer")
    assert (ours(Call).get().price_micros, ours(Call).get().price_due_at) == (0, None)


@pytest.mark.parametrize("seed", range(8))
def test_two_conferences_of_one_group_in_any_mixture_end_the_same(tell, leg, shown, alice, bob, seed):
    leg(alice, "CA1"), leg(bob, "CA2"), leg(alice, "CA3")
    told = [
        ("CF1", 1, "participant-join", "CA1"),
        ("CF1", 2, "participant-join", "CA2"),
        ("CF1", 3, "participant-leave", "CA1"),
        ("CF1", 4, "participant-leave", "CA2"),
        ("CF1", 5, "conference-end", "CA2"),
        ("CF2", 1, "participant-join", "CA3"),
        ("CF2", 2, "participant-mute", "CA3"),
    ]
    random.Random(seed).shuffle(told)
    for conference, number, event, call in told:
        tell(number, event, call, conference=conference)
    assert shown() == (["Alice"], True)


@pytest.mark.parametrize("path", [EVENTS, CALLS])
def test_a_forged_event_is_refused_and_not_stored(twilio, group, path):
    assert twilio(path, "forged", ConferenceSid="CF1", FriendlyName=group.pk).status_code == 403
    assert not ours(Conference).exists()


def test_an_event_of_a_group_that_is_gone_is_kept(tell, leg, group, alice):
    leg(alice, "CA1")
    ours(Group).all().delete()
    tell(1, "participant-join", "CA1")
    assert not ours(Participant).exists()


def test_the_others_are_told_once_when_the_call_begins(tell, leg, api, alice, bob, run_jobs):
    for user in (alice, bob):
        api.post("/api/voice/registerBinding", {"identity": f"u_{user.pk}", "address": f"of {user.pk}"})
    tell(1, "participant-join", leg(alice, "CA1"))
    run_jobs()
    tell(2, "participant-join", leg(bob, "CA2"))
    assert run_jobs() == []
    assert SandboxNotification.objects.get().identities == [f"u_{bob.pk}"]


def test_an_event_takes_a_bounded_number_of_queries(tell, leg, alice, django_assert_max_num_queries):
    leg(alice, "CA1")
    with django_assert_max_num_queries(34):  # two are jobs (the announcement, who stays alone), one stops rings
        tell(1, "participant-join", "CA1")


def test_an_event_is_weighed_against_its_own_legs_alone(tell, leg, alice, bob, monkeypatch):
    tell(1, "participant-join", leg(alice, "CA1"))
    for number in range(2, 50):
        tell(number, "participant-mute", "CA1")
    weighed = []
    monkeypatch.setattr("voice.conferences.events.fold", lambda told, _: weighed.extend(told) or fold(weighed, _))
    tell(50, "participant-join", leg(bob, "CA2"))
    assert [event.call_sid for event in weighed] == ["CA2"]


@pytest.mark.alone
def test_an_end_ends_every_leg(tell, leg, shown, alice, bob):
    tell(1, "participant-join", leg(alice, "CA1"))
    tell(2, "participant-join", leg(bob, "CA2"))
    tell(3, "conference-end", "CA1")
    assert (shown(), Call.objects.filter(is_on=True).exists()) == (([], False), False)
