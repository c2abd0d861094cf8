""" "Not found" is doubt, not fact: what Twilio does not know stands as it was told, and whatever is told later wins."""

from datetime import timedelta
from io import StringIO
from itertools import pairwise

import pytest
from django.core.management import call_command
from django.utils import timezone

from billing.ledger import set_balance
from billing.models import LedgerEntry
from tests.doubles.twilio import ago, written
from tests.neighbours import ours
from voice.conferences.doubts import close_conference, doubt_call, doubt_conference
from voice.conferences.reconciliation import ask_about_call, reconcile_calls
from voice.credit.cut_off import cut_off
from voice.credit.prices import sync_prices
from voice.models import Call, Conference, ConferenceEvent

CALLS = "/api/voice/callEvents"
RATE = 10_300
NOW = ago()


@pytest.fixture
def talk(twilio_telephony, twilio_double, tell, leg, alice, bob):
    """Alice and Bob have joined, half an hour ago, and the account that is asked does not know their call."""
    room = twilio_double.start_conference("1")["sid"]
    sids = [twilio_double.call(status="in-progress") for _ in range(2)]
    twilio_double.people[room] = list(sids)
    for number, (user, sid) in enumerate(zip((alice, bob), sids, strict=True), 1):
        Call.objects.filter(sid=leg(user, sid)).update(created_at=before(minutes=30, seconds=30))
        tell(number, "participant-join", sid, conference=room, Timestamp=written(before(minutes=30)))
    known = dict(twilio_double.calls), dict(twilio_double.conferences)
    twilio_double.forget(room, *sids)

    class Talk:
        conference, (alice, bob) = room, sids

        def tell(self, number, event, call="", **more):
            tell(number, event, call, conference=room, **more)

        def become_known(self):
            twilio_double.calls.update(known[0])
            twilio_double.conferences.update(known[1])

    return Talk()


@pytest.fixture
def ended(twilio):
    """Twilio's own word."""

    def ended(sid, seconds=754, **more):
        twilio(CALLS, CallSid=sid, CallStatus="completed", CallDuration=seconds, **more)

    return ended


def later(**passed):
    return timezone.now() + timedelta(**passed)


def before(**passed):
    return NOW - timedelta(**passed)


def charged():
    return -sum(LedgerEntry.objects.filter(kind="call").values_list("amount_micros", flat=True))


@pytest.mark.alone
def test_who_talks_talks_on(talk, shown):
    reconcile_calls(now=later(minutes=3))
    assert sorted(shown()[0]) == ["Alice", "Bob"]
    assert not Call.objects.exclude(end_time=None).exists()
    assert not Conference.objects.exclude(ended_at=None).exists()


def test_events_count_as_before(talk, shown):
    reconcile_calls(now=later(minutes=3))
    talk.tell(3, "participant-leave", talk.alice)
    assert shown() == (["Bob"], True)
    talk.tell(4, "participant-leave", talk.bob)
    assert shown() == ([], False)


def test_the_real_end_is_written_and_charged(talk, ended, alice):
    reconcile_calls(now=later(minutes=3))
    ended(talk.alice, Timestamp=written(before(minutes=1)))
    call = Call.objects.get(sid=talk.alice)
    assert (call.duration, call.end_time, call.doubted_at) == (754, before(minutes=1), None)


def test_it_is_asked_again_less_and_less_often(talk, twilio_double):
    asked = []
    for minute in range(3, 180):
        before = len(twilio_double.requests)
        reconcile_calls(now=later(minutes=minute))
        asked += [minute] if len(twilio_double.requests) > before else []
    pauses = [second - first for first, second in pairwise(asked)]
    assert pauses == sorted(pauses)
    assert (pauses[0], max(pauses)) == (2, 60)


def test_once_twilio_knows_it_again_it_is_no_longer_in_doubt(talk, shown, twilio_double):
    reconcile_calls(now=later(minutes=3))
    talk.become_known()
    twilio_double.people[talk.conference].remove(talk.alice)
    twilio_double.end_call(talk.alice, seconds=300, end_time=before())
    reconcile_calls(now=later(minutes=10))
    assert shown() == (["Bob"], True)
    assert not Call.objects.exclude(doubted_at=None).exists()
    assert not Conference.objects.exclude(doubted_at=None).exists()
    assert Call.objects.get(sid=talk.alice).duration == 300


def test_after_an_hour_somebody_is_told(talk, caplog):
    for minute in (3, 62):
        reconcile_calls(now=later(minutes=minute))
    assert "not known to Twilio for an hour" not in caplog.text
    assert reconcile_calls(now=later(minutes=125)).in_doubt == 3
    assert caplog.text.count("is not known to Twilio for an hour") == 3


def test_the_command_says_how_many(talk):
    ours(Call).update(doubted_at=later(hours=-2))
    said = StringIO()
    call_command("reconcile_calls", stdout=said)
    assert "2 not known to Twilio for an hour" in said.getvalue()


def test_a_leg_in_doubt_holds_its_money_and_is_cut_off(talk, settings, alice, group, twilio):
    settings.MIN_CALL_BALANCE = 500_000
    set_balance(user=alice, balance_micros=100 * RATE, memo="")
    reconcile_calls(now=later(minutes=3))
    ours(Call).update(created_at=later(minutes=-47, seconds=-30))
    answer = twilio("/api/voice/makeCall", to=group.pk, From="client:x", CallSid="CA9")
    assert b"held by calls that are running" in answer.content
    set_balance(user=alice, balance_micros=90 * RATE, memo="")
    asked = cut_off(now=timezone.now())
    assert asked.ended + asked.failed == 2


def test_it_is_closed_once_its_time_limit_is_over_and_not_before(talk, shown):
    reconcile_calls(now=before(minutes=30) + timedelta(hours=4))
    assert len(shown()[0]) == 2
    reconcile_calls(now=later(hours=4, minutes=2))
    assert shown() == ([], False)
    assert set(ours(Call).values_list("status", "end_source")) == {("completed", "assumed")}
    assert ours(Conference).get().ended_at


def test_the_last_time_it_is_asked_when_it_must_have_ended(talk):
    ours(Call).update(created_at=before(hours=3, minutes=20), doubted_at=before(hours=2))
    reconcile_calls(now=later(minutes=3))
    must_have_ended = before(hours=3, minutes=20) + timedelta(minutes=241)
    assert set(ours(Call).values_list("ask_again_at", flat=True)) == {must_have_ended}


@pytest.mark.parametrize("late", [None, "created", "an event", "a leg"])
def test_a_conference_goes_on_until_the_last_of_it_must_have_ended(talk, late):
    long_ago, of_late = before(hours=6), before(minutes=30)
    ours(Conference).update(created_at=of_late if late == "created" else long_ago)
    ours(ConferenceEvent).update(created_at=long_ago, happened_at=long_ago)
    ours(Call).update(created_at=long_ago)
    if late == "an event":
        ConferenceEvent.objects.filter(sequence_number=2).update(created_at=of_late)
    if late == "a leg":
        Call.objects.filter(sid=talk.bob).update(created_at=of_late)
    reconcile_calls(now=later(minutes=3))
    assert (ours(Conference).get().ended_at is None) == (late is not None)


def test_so_it_is_where_it_is_asked_for_the_first_time(talk, shown):
    reconcile_calls(now=later(hours=9))
    assert shown() == ([], False)


@pytest.mark.parametrize("first_asked", [3, 5 * 60])
def test_what_is_closed_has_been_in_doubt_since_it_was_first_asked_for(talk, first_asked):
    asked = later(minutes=first_asked)
    reconcile_calls(now=asked)
    reconcile_calls(now=later(hours=9))
    for rows in (ours(Call), ours(Conference)):
        assert {abs(row.doubted_at - asked) < timedelta(seconds=9) for row in rows} == {True}


def test_while_twilio_does_not_answer_nothing_is_closed(talk, shown, twilio_double):
    reconcile_calls(now=later(minutes=3))
    twilio_double.fail_next(*[twilio_double.server_error(None)] * 9)
    reconcile_calls(now=later(hours=9))
    assert len(shown()[0]) == 2


def test_another_leg_stays_in_doubt(talk):
    reconcile_calls(now=later(minutes=3))
    since = {"created_at": before(minutes=40), "doubted_at": before(minutes=20)}
    other = Call.objects.create(sid=f"CA{'0' * 32}", **since)
    talk.become_known()
    ask_about_call(Call.objects.get(sid=talk.alice), now=later(minutes=10))
    other.refresh_from_db()
    assert (other.doubted_at, Call.objects.get(sid=talk.alice).doubted_at) == (since["doubted_at"], None)


def test_an_end_that_was_told_while_it_was_being_closed_stays(talk):
    asked_about = ours(Conference).get()
    talk.tell(5, "conference-end", Timestamp=written(before(minutes=1)))
    close_conference(asked_about, at=before(minutes=30), now=later(hours=5))
    assert ours(Conference).get().ended_at == before(minutes=1)


def test_what_has_ended_while_it_was_asked_about_is_in_no_doubt(talk, ended):
    leg, conference = Call.objects.get(sid=talk.alice), ours(Conference).get()
    ended(talk.alice)
    talk.tell(5, "conference-end")
    doubt_call(leg, now=later(minutes=3))
    doubt_conference(conference, now=later(minutes=3))
    assert not ours(Call).exclude(doubted_at=None).exists()
    assert not ours(Conference).exclude(doubted_at=None).exists()


@pytest.fixture
def closed(talk):
    """Alice was last heard of ten minutes after she joined, Bob when he joined."""
    talk.tell(3, "participant-mute", talk.alice, Timestamp=written(before(minutes=20)))
    reconcile_calls(now=later(hours=5))
    return talk


def test_what_is_known_counts_until_then(closed):
    alice, bob = Call.objects.get(sid=closed.alice), Call.objects.get(sid=closed.bob)
    assert (alice.end_time - alice.start_time, alice.duration) == (timedelta(minutes=10), 600)
    assert (alice.end_time, bob.duration) == (before(minutes=20), 0)
    assert ours(Conference).get().ended_at == before(minutes=20)


def test_after_a_day_so_much_is_charged(closed):
    for hours in (5, 6, 29):
        sync_prices(now=later(hours=hours, minutes=5))
    assert charged() == 10 * RATE


def test_twilios_word_corrects_what_was_assumed(closed, ended):
    ended(closed.alice, Timestamp=written(before(minutes=1)))
    call = Call.objects.get(sid=closed.alice)
    assert (call.duration, call.end_time, call.end_source) == (754, before(minutes=1), "event")


@pytest.mark.parametrize("price", [None, "-0.1300"])
def test_and_what_was_charged(closed, ended, twilio_double, price):
    for hours in (5, 6, 29):
        sync_prices(now=later(hours=hours, minutes=5))
    if price:
        closed.become_known()
        twilio_double.calls[closed.alice]["price"] = price
    ended(closed.alice)
    sync_prices(now=later(hours=30))
    assert charged() == 13 * RATE if price is None else 130_000 + 13 * 1_800


def test_an_answer_that_comes_with_the_price_corrects_it_too(closed, twilio_double):
    closed.become_known()
    twilio_double.end_call(closed.alice, seconds=754, end_time=before(minutes=3))
    twilio_double.calls[closed.alice]["price"] = "-0.1300"
    sync_prices(now=later(hours=6))
    call = Call.objects.get(sid=closed.alice)
    assert (call.duration, call.end_time, call.end_source) == (754, before(minutes=3), "answer")
    assert charged() == 130_000 + 13 * 1_800


def test_a_leave_that_comes_late_says_how_long_it_was(closed):
    closed.tell(5, "participant-leave", closed.bob, Timestamp=written(before(minutes=5)))
    call = Call.objects.get(sid=closed.bob)
    assert (call.duration, call.end_time, call.end_source) == (25 * 60, before(minutes=5), "assumed")


@pytest.mark.alone
def test_a_join_that_comes_afterwards_opens_it_again(closed, shown):
    Call.objects.filter(sid=closed.bob).update(heard_at=timezone.now() - timedelta(hours=1))
    closed.tell(5, "participant-join", closed.bob)
    assert shown() == (["Bob"], True)
    bob = Call.objects.running().get()
    assert bob.heard_at > timezone.now() - timedelta(minutes=1)  # not silent, and so not asked about at once
    assert (bob.sid, bob.status, bob.duration, bob.price_due_at) == (closed.bob, "in-progress", None, None)
    assert ours(Conference).get().ended_at is None


def test_nothing_that_is_told_in_between_moves_when_it_was_closed(closed, shown):
    closed.tell(9, "participant-mute", closed.alice)
    closed.tell(5, "participant-join", closed.alice)
    assert shown()[0] == ["Alice"]


def test_nor_do_the_numbers_of_another_conference(talk, tell, shown):
    tell(99, "conference-start", conference="CF9")
    reconcile_calls(now=later(hours=5))
    assert ours(Conference).get(pk="CF9").ended_at  # which nobody has ever joined
    talk.tell(5, "participant-join", talk.bob)
    assert shown()[0] == ["Bob"]


def test_a_join_from_before_opens_nothing(talk, shown, leg, carol, twilio_double):
    talk.tell(9, "participant-mute", talk.alice)
    reconcile_calls(now=later(hours=5))
    talk.tell(5, "participant-join", talk.alice)
    assert shown() == ([], False)


@pytest.mark.parametrize("first", ["callback", "reconciliation"])
def test_twilios_callback_wins_over_what_it_answered_whichever_comes_first(talk, ended, twilio_double, first):
    talk.become_known()
    twilio_double.people[talk.conference].clear()
    twilio_double.end_call(talk.alice, seconds=600, end_time=before(minutes=9))
    steps = [lambda: ended(talk.alice), lambda: reconcile_calls(now=later(minutes=3))]
    for step in steps if first == "callback" else reversed(steps):
        step()
    assert Call.objects.get(sid=talk.alice).duration == 754


def test_of_two_callbacks_the_first_counts(talk, ended):
    ended(talk.alice, 754)
    ended(talk.alice, 61)
    assert Call.objects.get(sid=talk.alice).duration == 754


def test_a_callback_without_its_duration_takes_away_none_that_is_known(talk, twilio, twilio_double):
    talk.become_known()
    twilio_double.people[talk.conference].clear()
    twilio_double.end_call(talk.alice, seconds=600, end_time=before(minutes=9))
    reconcile_calls(now=later(minutes=3))
    twilio(CALLS, CallSid=talk.alice, CallStatus="completed")
    assert Call.objects.get(sid=talk.alice).duration == 600


@pytest.mark.parametrize("duration", ["", "x"])
def test_nor_does_an_answer_without_it(talk, twilio_double, duration):
    talk.become_known()
    twilio_double.people[talk.conference].clear()
    twilio_double.end_call(talk.alice, seconds=600, end_time=before(minutes=9))
    reconcile_calls(now=later(minutes=3))
    known = Call.objects.get(sid=talk.alice).end_time
    twilio_double.calls[talk.alice].update(duration=duration, end_time=written(before(minutes=2)))
    sync_prices(now=later(minutes=10))
    call = Call.objects.get(sid=talk.alice)
    assert (call.duration, call.end_time, call.duration_told) == (600, known, "")


def test_a_callback_without_its_duration_ends_the_leg_and_twilio_is_asked_how_long_it_was(talk, twilio, twilio_double):
    talk.become_known()
    twilio_double.end_call(talk.alice, seconds=600, end_time=before(minutes=9))
    twilio(CALLS, CallSid=talk.alice, CallStatus="completed", Timestamp=written(before(minutes=9)))
    assert Call.objects.get(sid=talk.alice).duration == 21 * 60
    sync_prices(now=later(minutes=3))
    assert Call.objects.get(sid=talk.alice).duration == 600


def test_a_leg_that_never_joined_is_closed_too(leg, alice, twilio_telephony):
    leg(alice, f"CA{'f' * 32}")
    reconcile_calls(now=later(minutes=3))
    assert ours(Call).get().end_time is None
    reconcile_calls(now=later(hours=5))
    assert (ours(Call).get().end_source, ours(Call).get().duration) == ("assumed", 0)
