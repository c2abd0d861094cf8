"""Healing: what Twilio says when it is asked, over real HTTP, against the double."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connections
from django.utils import timezone

from core.attempts import Attempts
from tests.doubles.server import Fault
from tests.doubles.twilio import ago, written
from tests.neighbours import ours
from voice.conferences.reconciliation import ask_about_conference, claim_silent, learn, reconcile_calls
from voice.models import Call, Conference
from voice.telephony.interface import telephony


@pytest.fixture
def talk(twilio_telephony, twilio_double, tell, leg, alice, bob):
    """Alice and Bob talk at Twilio; which of the events reached us is each test's matter."""
    room = twilio_double.start_conference("1")["sid"]
    sids = [twilio_double.call(status="in-progress") for _ in range(2)]
    twilio_double.people[room] = list(sids)
    for user, sid in zip((alice, bob), sids, strict=True):
        leg(user, sid)

    class Talk:
        conference, (alice, bob) = room, sids

        def tell(self, number, event, call=""):
            tell(number, event, call, conference=room)

        def tell_of(self, conference):
            tell(1, "conference-start", conference=conference)

        def hang_up(self, call):
            twilio_double.people[room].remove(call)
            twilio_double.end_call(call, seconds=61, end_time=ago())

        def end(self):
            for call in list(twilio_double.people[room]):
                self.hang_up(call)
            twilio_double.conferences[room]["status"] = "completed"

    return Talk()


def later(minutes=3):
    return timezone.now() + timedelta(minutes=minutes)


def test_a_conference_whose_end_was_lost_is_closed(talk, shown):
    talk.tell(1, "participant-join", talk.alice)
    talk.end()
    reconcile_calls(now=later())
    assert shown() == ([], False)
    assert ours(Conference).get().ended_at


def test_a_ghost_whose_leave_was_lost_goes_while_the_others_talk_on(talk, shown):
    talk.tell(1, "participant-join", talk.alice)
    talk.tell(2, "participant-join", talk.bob)
    talk.hang_up(talk.alice)
    reconcile_calls(now=later())
    assert shown() == (["Bob"], True)


def test_so_does_one_whose_leg_goes_on_elsewhere(talk, shown, twilio_double):
    talk.tell(1, "participant-join", talk.alice)
    talk.tell(2, "participant-join", talk.bob)
    twilio_double.people[talk.conference].remove(talk.bob)  # to another number, say
    reconcile_calls(now=later())
    assert shown() == (["Alice"], True)


def test_somebody_whose_join_was_lost_is_seen(talk, shown):
    talk.tell(1, "participant-join", talk.alice)
    reconcile_calls(now=later())
    assert sorted(shown()[0]) == ["Alice", "Bob"]


def test_who_was_seen_goes_with_the_leave_that_comes_after(talk, shown):
    talk.tell(1, "participant-join", talk.alice)
    reconcile_calls(now=later())
    talk.tell(3, "participant-leave", talk.bob)
    assert shown()[0] == ["Alice"]


def test_an_older_event_that_arrives_after_the_sighting_changes_nothing(talk, shown):
    talk.tell(5, "participant-join", talk.bob)
    talk.hang_up(talk.alice)
    reconcile_calls(now=later())
    talk.tell(1, "participant-join", talk.alice)
    assert shown()[0] == ["Bob"]


def test_of_a_large_call_all_are_seen(talk, twilio_double):
    talk.tell(1, "participant-join", talk.alice)
    twilio_double.people[talk.conference] += [twilio_double.call(status="in-progress") for _ in range(60)]
    reconcile_calls(now=later())
    assert ours(Call).filter(is_on=True).count() == 62


def test_who_was_seen_once_and_is_seen_no_more_goes(talk, shown, twilio_double):
    talk.tell(1, "participant-join", talk.alice)
    reconcile_calls(now=later())
    twilio_double.people[talk.conference].remove(talk.bob)  # to another number, say: the leg goes on
    reconcile_calls(now=later(10))
    assert shown()[0] == ["Alice"]
    twilio_double.people[talk.conference].append(talk.bob)
    reconcile_calls(now=later(20))
    assert sorted(shown()[0]) == ["Alice", "Bob"]


def test_a_leg_that_ended_unheard_gets_its_duration_and_its_price_is_asked(talk):
    talk.end()
    reconcile_calls(now=later())
    call = Call.objects.get(sid=talk.alice)
    assert (call.status, call.duration) == ("completed", 61)
    assert call.price_due_at


def test_what_was_heard_of_lately_is_not_asked_about(talk, twilio_double):
    talk.tell(1, "participant-join", talk.alice)
    asked = len(twilio_double.requests)
    summary = reconcile_calls(now=timezone.now())
    assert (summary.conferences, summary.calls, len(twilio_double.requests)) == (0, 0, asked)


def test_each_event_is_heard_of_and_each_leg_that_is_seen_is_not_asked_about_by_itself(talk, twilio_double):
    talk.tell(1, "participant-join", talk.alice)
    ours(Conference).update(heard_at=later(-9)), ours(Call).update(heard_at=later(-9))
    talk.tell(2, "participant-mute", talk.alice)
    assert reconcile_calls(now=timezone.now()).conferences == 0
    ours(Conference).update(heard_at=later(-9)), ours(Call).update(heard_at=later(-9))
    summary = reconcile_calls(now=timezone.now())
    assert (summary.conferences, summary.calls) == (1, 0)


def test_what_was_asked_about_is_not_asked_again_at_once(talk, twilio_double):
    talk.tell(1, "participant-join", talk.alice)
    now = later()
    reconcile_calls(now=now)
    assert reconcile_calls(now=now).conferences == 0


def test_the_command_says_how_much_failed(talk, twilio_double, reconcile):
    talk.tell(1, "participant-join", talk.alice)
    ours(Conference).update(heard_at=later(-9)), ours(Call).update(heard_at=later(-9))
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 9)
    assert " 3 failed" in reconcile()


def test_of_many_silent_legs_those_that_were_silent_longest_are_asked_about_first(talk, twilio_double):
    Call.objects.filter(sid=talk.alice).update(heard_at=later(-9))
    Call.objects.filter(sid=talk.bob).update(heard_at=later(-10))
    twilio_double.requests.clear()
    reconcile_calls(now=timezone.now())
    asked = [each.path.rpartition("/")[2] for each in twilio_double.requests if "/Calls/" in each.path]
    assert asked == [f"{talk.bob}.json", f"{talk.alice}.json"]


def test_when_twilio_does_not_answer_everything_stays_for_the_next_run(talk, shown, twilio_double):
    talk.tell(1, "participant-join", talk.alice)
    talk.end()
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 9)
    assert reconcile_calls(now=later()).failed == 3
    assert shown()[0] == ["Alice"]
    twilio_double.faults.clear()
    reconcile_calls(now=later(10))
    assert shown()[0] == []


def test_failures_that_are_not_in_a_row_do_not_stop_the_run(talk, twilio_double):
    talk.tell(1, "participant-join", talk.alice)
    twilio_double.fail_next(Fault.SERVER_ERROR)
    for conference in (twilio_double.start_conference("1")["sid"] for _ in range(3)):
        talk.tell_of(conference)
    summary = reconcile_calls(now=later())
    assert (summary.failed, summary.conferences + summary.calls) == (1, 5)


def test_where_the_run_stops_the_rest_is_asked_by_the_next_one_at_once(talk, twilio_double):
    talk.tell(1, "participant-join", talk.alice)
    for conference in (twilio_double.start_conference("1")["sid"] for _ in range(4)):
        talk.tell_of(conference)
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 3)
    now = later()
    assert reconcile_calls(now=now).failed == 3
    summary = reconcile_calls(now=now)
    assert (summary.conferences, summary.calls) == (2, 2)


def test_a_fault_of_the_database_does_not_stop_the_run(talk, monkeypatch):
    monkeypatch.setattr("voice.conferences.reconciliation.ask_about_conference", fail)
    talk.tell(1, "participant-join", talk.alice)
    for number in range(4):
        talk.tell_of(f"CF{number}")
    assert reconcile_calls(now=later()).calls == 2


def fail(*args, **more):
    raise DatabaseError


def test_a_second_run_changes_nothing(talk, shown):
    talk.tell(1, "participant-join", talk.alice)
    reconcile_calls(now=later())
    before = (shown(), list(ours(Call).values("sid", "is_on", "end_time")))
    reconcile_calls(now=later(10))
    assert (shown(), list(ours(Call).values("sid", "is_on", "end_time"))) == before


def test_the_running_call_of_a_deleted_group_is_ended_at_last(talk, group, twilio_double):
    talk.tell(1, "participant-join", talk.alice)
    twilio_double.conferences[talk.conference]["friendly_name"] = str(group.pk)
    group.delete()
    reconcile_calls(now=later())
    assert twilio_double.running_conferences() == []


def test_a_conference_that_is_no_groups_is_ended_by_nobody(talk, twilio_double):
    talk.tell(1, "participant-join", talk.alice)
    ours(Conference).update(group_id=None)
    reconcile_calls(now=later())
    assert twilio_double.conferences[talk.conference]["status"] == "in-progress"


def test_a_leg_that_talks_elsewhere_by_now_is_not_brought_back(talk):
    """What Twilio was asked about may be older."""
    talk.tell(1, "participant-join", talk.alice)
    elsewhere = Conference.objects.create(pk="CF9", group_id=ours(Conference).get().group_id)
    Call.objects.filter(sid=talk.bob).update(conference=elsewhere)
    reconcile_calls(now=later())
    assert Call.objects.get(sid=talk.bob).conference_id == "CF9"


def test_the_running_leg_of_a_deleted_person_is_ended_at_last(talk, bob, twilio_double):
    bob.delete()
    reconcile_calls(now=later())
    assert twilio_double.calls[talk.bob]["status"] == "completed"


def told_to_end(double):
    return [
        request.path for request in double.requests if request.method == "POST" and "completed" in str(request.body)
    ]


def test_of_two_runs_at_once_each_asks_about_what_the_other_has_not(talk):
    now = later()
    runs = [claim_silent(Call.objects.silent_since(timezone.now(), now=now), now, Attempts()) for _ in range(2)]
    asked = [next(runs[0]).sid, next(runs[1]).sid, *(row.sid for run in runs for row in run)]
    assert sorted(asked) == sorted([talk.alice, talk.bob])


def test_the_leg_of_somebody_whom_nobody_knows_talks_on(talk, twilio_double):
    Call.objects.filter(sid=talk.bob).update(user_id=None)
    reconcile_calls(now=later())
    assert told_to_end(twilio_double) == []
    assert {call["status"] for call in twilio_double.calls.values()} == {"in-progress"}


def test_what_has_ended_of_a_deleted_group_is_not_ended_again(talk, group, twilio_double):
    talk.tell(1, "participant-join", talk.alice)
    group.delete()
    twilio_double.conferences[talk.conference]["status"] = "completed"
    reconcile_calls(now=later())
    assert [path for path in told_to_end(twilio_double) if "/Conferences/" in path] == []


def test_an_end_that_was_told_while_twilio_was_asked_stays_when_it_was_heard_of(talk, twilio_double):
    talk.tell(1, "participant-join", talk.alice)
    asked_about = ours(Conference).get()
    talk.tell(2, "conference-end")
    known = ours(Conference).get().ended_at
    talk.end()
    twilio_double.conferences[talk.conference]["date_updated"] = written(ago(minutes=9))
    ask_about_conference(asked_about, now=later())
    assert ours(Conference).get().ended_at == known


@pytest.mark.django_db(transaction=True)
def test_who_leaves_while_twilio_is_asked_is_gone(on_postgresql, talk, shown, twilio_double, monkeypatch):
    """What Twilio says then is older than the leave."""
    for number, sid in enumerate((talk.alice, talk.bob), 1):
        talk.tell(number, "participant-join", sid)

    def check(request):
        monkeypatch.undo()
        talk.tell(3, "participant-leave", talk.bob)
        connections.close_all()

    monkeypatch.setattr(twilio_double, "check", check)
    ask_about_conference(ours(Conference).get(), now=later())
    assert shown()[0] == ["Alice"]


def test_an_older_answer_overrules_no_newer_one(talk, shown, twilio_double):
    """Of two runs the slower one."""
    for number, sid in enumerate((talk.alice, talk.bob), 1):
        talk.tell(number, "participant-join", sid)
    slow = telephony().conference(sid=talk.conference)
    talk.tell(3, "participant-mute", talk.alice)
    twilio_double.people[talk.conference].remove(talk.bob)
    reconcile_calls(now=later())
    assert shown()[0] == ["Alice"]
    learn(ours(Conference).get(), slow, after=2, now=later())
    assert shown()[0] == ["Alice"]


def test_the_command_says_what_it_did(talk):
    said = StringIO()
    call_command("reconcile_calls", silent=0, stdout=said)
    assert said.getvalue() == (
        "ended 0 calls of used-up balances, asked about 0 conferences and 2 calls, 0 failed; "
        "hung up on 0 calls, 0 still on; took back 0 call statuses; "
        "0 not known to Twilio for an hour; forgot 0 devices\n"
    )
