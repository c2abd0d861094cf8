"""Times are Twilio's: never the time of receipt where Twilio says when it was, never in the future."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.doubles.twilio import ago, written
from tests.neighbours import ours
from voice.conferences.reconciliation import reconcile_calls
from voice.models import Call, Conference

CALLS = "/api/voice/callEvents"
NOW = ago()


def before(**passed):
    return NOW - timedelta(**passed)


@pytest.fixture
def end(twilio, leg, alice):
    """Twilio tells that Alice's leg has ended; the leg."""

    def end(sid="CA1", seconds=754, **more):
        leg(alice, sid)
        twilio(CALLS, CallSid=sid, CallStatus="completed", CallDuration=seconds, **more)
        return Call.objects.get(sid=sid)

    return end


def is_now(time):
    return abs(timezone.now() - time) < timedelta(seconds=9)


@pytest.mark.alone
def test_an_end_is_when_twilio_says(end, api):
    call = end(Timestamp=written(before(hours=3)))
    assert (call.end_time, call.start_time) == (before(hours=3), before(hours=3, seconds=754))
    (charge,) = api.get("/api/billing/allTwilioCharges").json()["allTwilioChargesRes"]
    assert charge["endTime"] == before(hours=3).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@pytest.mark.parametrize("stamp", ["", "yesterday", "Sun, 31 Nov 2026 06:00:00 +0000", "9" * 99])
def test_an_unreadable_time_is_that_of_receipt(end, stamp):
    assert is_now(end(Timestamp=stamp).end_time)


def test_an_end_is_never_in_the_future(end):
    assert is_now(end(Timestamp=written(before(hours=-3))).end_time)


def test_an_end_is_never_before_the_start(end, tell, leg, alice, bob):
    tell(1, "participant-join", leg(bob, "CA2"), Timestamp=written(before(hours=3)))
    tell(2, "participant-join", leg(alice, "CA1"), Timestamp=written(before(hours=1)))
    call = end(Timestamp=written(before(hours=2)), seconds=0)
    assert call.start_time == call.end_time == before(hours=1)


@pytest.mark.parametrize("year", ["1970", "0100", "9999"])
def test_odd_years_are_kept(end, api, year):
    assert end(Timestamp=f"Thu, 01 Jan {year} 00:00:00 +0000").duration == 754
    assert api.get("/api/billing/allTwilioCharges").status_code == 200


def test_an_end_that_is_told_again_with_another_duration_changes_nothing(end):
    end(seconds=754, Timestamp=written(before(hours=3)))
    again = end(seconds=60, Timestamp=written(before(hours=1)))
    assert (again.duration, again.end_time) == (754, before(hours=3))


def test_a_leg_begins_when_it_joined(tell, leg, alice):
    tell(1, "participant-join", leg(alice, "CA1"), Timestamp=written(before(minutes=20)))
    assert ours(Call).get().start_time == before(minutes=20)


@pytest.mark.parametrize("numbers", [(1, 2), (2, 1)])
def test_a_conference_begins_and_ends_when_twilio_says_in_whatever_order(tell, numbers):
    told = {1: ("participant-join", "CA1", 70), 2: ("conference-end", "", 10)}
    for number in numbers:
        event, call, minutes = told[number]
        tell(number, event, call, Timestamp=written(before(minutes=minutes)))
    conference = ours(Conference).get()
    assert (conference.created_at, conference.ended_at) == (before(minutes=70), before(minutes=10))


def test_a_conferences_end_without_a_time_is_that_of_receipt(tell):
    tell(1, "conference-end", Timestamp="no time")
    assert is_now(ours(Conference).get().ended_at)


def test_a_conference_neither_begins_nor_ends_in_the_future(tell):
    tell(1, "conference-start", Timestamp=written(before(hours=-1)))
    tell(2, "conference-end", Timestamp=written(before(hours=-2)))
    conference = ours(Conference).get()
    assert is_now(conference.created_at)
    assert is_now(conference.ended_at)


def test_of_two_ends_of_a_conference_the_first_by_its_number_is_when_it_ended(tell):
    tell(7, "conference-end", Timestamp=written(before(minutes=10)))
    tell(6, "conference-end", Timestamp=written(before(minutes=20)))
    assert ours(Conference).get().ended_at == before(minutes=20)


@pytest.fixture
def found_late(twilio_telephony, twilio_double, tell, leg, alice):
    """Alice hung up six hours ago, and nothing was heard of it."""
    room, sid = twilio_double.start_conference("1")["sid"], twilio_double.call(status="in-progress")
    Call.objects.filter(sid=leg(alice, sid)).update(created_at=before(hours=7))
    tell(1, "participant-join", sid, conference=room, Timestamp=written(before(hours=7)))
    twilio_double.end_call(sid, seconds=3000, end_time=before(hours=6))
    twilio_double.conferences[room].update(status="completed", date_updated=written(before(hours=6)))
    return twilio_double.calls[sid]


def test_an_end_that_is_found_late_is_when_it_was(found_late):
    reconcile_calls(now=timezone.now() + timedelta(minutes=3))
    call = ours(Call).get()
    assert (call.end_time, call.start_time) == (before(hours=6), before(hours=6, seconds=3000))
    assert ours(Conference).get().ended_at == before(hours=6)


@pytest.mark.parametrize(
    ("told", "ended"),
    [(written(before(hours=5)), before(hours=5)), ("no time", before(hours=6))],
    ids=["with a time", "without"],  # a time would name the test otherwise each time
)
def test_a_conferences_end_that_is_told_after_the_answer_has_the_last_word_where_it_has_a_time(
    found_late, tell, told, ended
):
    reconcile_calls(now=timezone.now() + timedelta(minutes=3))
    tell(9, "conference-end", conference=ours(Conference).get().sid, Timestamp=told)
    assert ours(Conference).get().ended_at == ended


def test_what_twilio_answers_is_bounded_likewise(found_late):
    found_late.update(start_time=written(before(hours=-2)), end_time=written(before(hours=-1)))
    now = timezone.now() + timedelta(minutes=3)
    reconcile_calls(now=now)
    call = ours(Call).get()
    assert (call.end_time, call.start_time) == (now, now - timedelta(seconds=3000))
    assert call.duration_told == f"start {before(hours=-2):%Y-%m-%d %H:%M:%S}, end {before(hours=-1):%Y-%m-%d %H:%M:%S}"


def test_an_answer_without_times_is_that_of_receipt(found_late):
    found_late.update(start_time=None, end_time="no time")
    now = timezone.now() + timedelta(minutes=3)
    reconcile_calls(now=now)
    assert (ours(Call).get().end_time, ours(Call).get().start_time) == (now, now - timedelta(seconds=3000))
