"""Who is alone on a call for minutes is told so, and hung up on a minute later."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.jobs.models import Job
from core.jobs.worker import do_all
from tests.doubles.server import Fault
from tests.doubles.twilio import error
from tests.neighbours import ours
from tests.voice.conferences.test_event_races import at_once
from tests.voice.hosting.test_muting import room  # noqa: F401  # a fixture
from voice.conferences.alone import see_to, see_to_all
from voice.models import Conference, GroupCall, HangUp

TASK = "voice.conferences.alone.see_to_who_is_alone"


@pytest.fixture
def pass_by():
    """Lets so many minutes pass: all that has a time of its own was that much earlier."""

    def pass_by(minutes):
        for conference in ours(Conference).all():
            for name in ("alone_since", "alone_told_at"):
                if time := getattr(conference, name):
                    setattr(conference, name, time - timedelta(minutes=minutes))
            conference.save()
        for job in Job.objects.filter(task=TASK):
            job.due_at -= timedelta(minutes=minutes)
            job.save()

    return pass_by


@pytest.fixture
def wait(pass_by, run_jobs):
    """So many minutes later, when the worker has done what is due."""

    def wait(minutes, **kwargs):
        pass_by(minutes)
        run_jobs(**kwargs)

    return wait


@pytest.fixture
def alone(line, room, committed, alice, bob):  # noqa: F811
    """Alice and Bob have talked, and Bob has left."""
    with committed():
        room(alice)
        leave(line, room, room(bob), 3)
    return line


@pytest.fixture
def two_alone(line, room, committed, alice, bob):  # noqa: F811
    """Alice, and on another conference Bob."""
    other = line.twilio.start_conference("1")["sid"]
    with committed():
        room(alice)
        sid = line.call(bob)
        line.twilio.people[other].append(sid)
        line.tell(1, "participant-join", sid, conference=other)


def leave(line, room, sid, number):  # noqa: F811
    line.twilio.end_call(sid, seconds=61, end_time=timezone.now().replace(microsecond=0))
    line.tell(number, "participant-leave", sid, conference=room.sid)


def reasons():
    return set(ours(HangUp).values_list("why", flat=True))


@pytest.mark.alone
def test_after_four_minutes_they_are_told_and_after_five_it_ends(alone, wait, pass_by, reconcile, room, twilio_double):  # noqa: F811
    wait(3.9)
    assert twilio_double.announced == []
    wait(0.1)
    assert twilio_double.announced == [
        (room.sid, "http://localhost:3300/api/voice/announcement?say=alone&language=en-US")
    ]
    pass_by(0.9), reconcile()
    assert (alone.ended(), reasons()) == (["Bob"], set())
    wait(0.1)
    assert (alone.ended(), reasons()) == (["Alice", "Bob"], {"alone"})
    assert len(twilio_double.announced) == 1


def test_who_waits_for_others_in_vain_is_too(line, room, wait, committed, twilio_double, alice):  # noqa: F811
    with committed():
        room(alice)
    wait(4), wait(1)
    assert (line.ended(), len(twilio_double.announced)) == (["Alice"], 1)


def test_once_somebody_joins_the_call_goes_on(alone, wait, room, bob, twilio_double):  # noqa: F811
    wait(4)
    sid = alone.call(bob, "Bob again")
    twilio_double.people[room.sid].append(sid)
    alone.tell(4, "participant-join", sid, conference=room.sid)
    wait(10)
    assert (reasons(), len(twilio_double.announced)) == (set(), 1)


def test_who_is_alone_again_has_all_the_time_again(alone, wait, room, bob, twilio_double):  # noqa: F811
    wait(4)
    sid = alone.call(bob, "Bob again")
    twilio_double.people[room.sid].append(sid)
    alone.tell(4, "participant-join", sid, conference=room.sid)
    leave(alone, room, sid, 5)
    wait(3.9)
    assert (reasons(), len(twilio_double.announced)) == (set(), 1)
    wait(0.1), wait(1)
    assert (reasons(), len(twilio_double.announced)) == ({"alone"}, 2)


def test_somebody_whose_join_was_lost_is_company(alone, wait, room, reconcile, shown, bob, twilio_double):  # noqa: F811
    twilio_double.people[room.sid].append(alone.call(bob, "Bob again"))
    wait(5)
    assert (reasons(), twilio_double.announced) == (set(), [])
    reconcile()
    assert shown() == (["Alice", "Bob"], True)


def test_of_what_twilio_does_not_know_nobody_is_ended(alone, wait, room, twilio_double):  # noqa: F811
    twilio_double.forget(room.sid)
    wait(4), wait(1)
    assert (reasons(), twilio_double.announced) == (set(), [])


def test_a_lost_job_is_made_up_for_each_minute(alone, pass_by, reconcile, twilio_double):
    Job.objects.all().delete()
    after = ours(Conference).get().alone_since + timedelta(minutes=4)
    see_to_all(now=after - timedelta(microseconds=1))
    assert twilio_double.announced == []
    see_to_all(now=after)
    assert len(twilio_double.announced) == 1
    ours(Conference).update(alone_told_at=None)
    twilio_double.announced.clear()
    pass_by(9)
    reconcile(), pass_by(1), reconcile()
    assert (reasons(), len(twilio_double.announced)) == ({"alone"}, 1)


@pytest.mark.parametrize("asked", ["whether it is so", "to tell them"])
def test_where_twilio_does_not_answer_it_is_tried_again(alone, wait, run_jobs, twilio_double, asked):
    work, away = twilio_double.work, error(500, 20500, "Internal Server Error")
    is_asked = {"whether it is so": None, "to tell them": "POST"}[asked]
    twilio_double.work = lambda request: away if is_asked in (None, request.method) else work(request)
    wait(4, failing=True)
    assert twilio_double.announced == []
    twilio_double.work = work
    Job.objects.update(due_at=timezone.now())
    run_jobs()
    assert len(twilio_double.announced) == 1


@pytest.mark.parametrize("seen_to_by", ["jobs", "each minute"])
def test_where_it_does_not_answer_of_one_call_another_is_told(two_alone, pass_by, reconcile, twilio_double, seen_to_by):
    twilio_double.fail_next(Fault.SERVER_ERROR)
    pass_by(4)
    for known in (1, 2):
        if seen_to_by == "jobs":
            Job.objects.filter(state="waiting").update(due_at=timezone.now())
            do_all()
        else:
            reconcile()
        assert len({conference for conference, _ in twilio_double.announced}) == known


def test_of_two_runs_that_find_somebody_alone_one_tells_them(alone, twilio_double):
    read = ours(Conference).get()
    for _ in range(2):
        see_to(read, now=read.alone_since + timedelta(minutes=4))
    assert len(twilio_double.announced) == 1


def test_a_run_that_has_found_somebody_alone_who_was_not_since_does_nothing(alone, twilio_double):
    read = ours(Conference).get()
    ours(Conference).update(alone_since=timezone.now())
    for minutes in (4, 5):
        see_to(read, now=read.alone_since + timedelta(minutes=minutes))
        read.alone_told_at = read.alone_since + timedelta(minutes=4)
    assert (reasons(), twilio_double.announced) == (set(), [])


@pytest.mark.usefixtures("two_alone")
def test_of_two_who_are_alone_since_the_same_moment_each_is_told_and_ended_by_themself(line, pass_by, twilio_double):
    """As where one run has asked Twilio about both."""
    ours(Conference).update(alone_since=timezone.now())
    twilio_double.fail_next(Fault.SERVER_ERROR)
    pass_by(4), do_all()
    assert len(twilio_double.announced) == 1
    pass_by(1), do_all()
    assert len({conference for conference, _ in twilio_double.announced}) == 2
    assert len(line.ended()) == 1
    pass_by(1), do_all()
    assert line.ended() == ["Alice", "Bob"]


def test_who_has_left_and_not_hung_up_yet_is_not_hung_up_on(line, room, wait, committed, twilio_double, alice, bob):  # noqa: F811
    with committed():
        room(alice)
        gone = room(bob)
        twilio_double.people[room.sid].remove(gone)
        line.tell(3, "participant-leave", gone, conference=room.sid)
    wait(4), wait(1)
    assert line.ended() == ["Alice"]


@pytest.mark.alone
def test_where_twilio_does_not_answer_three_times_in_a_row_it_is_not_asked_about_the_others(
    line, committed, reconcile, twilio_double, alice
):
    with committed():
        for number in range(5):
            sid = line.call(alice, f"Alice's phone {number}")
            line.tell(1, "participant-join", sid, conference=twilio_double.start_conference("1")["sid"])
    after = timezone.now() + timedelta(minutes=4)
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 5)
    asked = len(twilio_double.requests)
    assert (see_to_all(now=after), len(twilio_double.requests) - asked) == (3, 3)


@pytest.mark.django_db(transaction=True)
def test_where_somebody_joins_at_the_moment_of_the_end_the_call_goes_on(on_postgresql, leg, tell, alice, bob):
    tell(1, "participant-join", leg(alice, "CA1"))
    leg(bob, "CA2")
    ours(Conference).update(alone_told_at=timezone.now())
    read = ours(Conference).get()
    at_once(
        lambda: tell(2, "participant-join", "CA2"),
        lambda: see_to(read, now=read.alone_told_at + timedelta(minutes=1)),
    )
    assert reasons() == set()


def test_who_cannot_be_spoken_to_is_hung_up_on_all_the_same(alone, wait, twilio_double):
    wait(3.9)
    work = twilio_double.work
    refused = error(400, 20001, "Conference is not in-progress")
    twilio_double.work = lambda request: refused if request.get("AnnounceUrl") else work(request)
    wait(0.1), wait(1)
    assert (reasons(), twilio_double.announced) == ({"alone"}, [])


def test_a_group_may_switch_it_off(alone, wait, api, group, twilio_double):
    path = f"/api/groups/{group.pk}/call/endWhenAlone"
    assert api.get(path).json() == {"endWhenAlone": True}
    assert api.put(path, {"endWhenAlone": False}).json() == api.get(path).json() == {"endWhenAlone": False}
    wait(4), wait(1)
    assert (reasons(), twilio_double.announced) == (set(), [])
    assert api.get(f"/api/groups/{group.pk}/call").json()["locked"] is False


def test_the_operator_may_switch_it_off(alone, wait, settings, reconcile, twilio_double):
    settings.END_WHEN_ALONE = 0
    wait(4), wait(1), reconcile()
    assert (reasons(), twilio_double.announced) == (set(), [])


def test_with_one_minute_they_are_told_at_once(line, room, wait, settings, committed, twilio_double, alice):  # noqa: F811
    settings.END_WHEN_ALONE = 1
    with committed():
        room(alice)
    assert len(twilio_double.announced) == 1
    wait(1)
    assert line.ended() == ["Alice"]


def test_in_the_sandbox_nobody_is_asked(leg, tell, wait, alice):
    tell(1, "participant-join", leg(alice, "CA1"))
    wait(4), wait(1)
    assert reasons() == {"alone"}


@pytest.mark.parametrize("body", [{"endWhenAlone": None}, {"locked": True}])
def test_what_cannot_be_is_refused_by_name(api, group, body):
    answer = api.put(f"/api/groups/{group.pk}/call/endWhenAlone", body)
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (400, [*body])


def test_a_group_is_spoken_to_in_its_language(alone, wait, group, twilio_double):
    GroupCall.objects.create(group=group, language="de-AT")
    wait(4)
    assert twilio_double.announced[0][1].endswith("?say=alone&language=de-DE")
