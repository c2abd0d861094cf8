"""Some two minutes before a call ends, by its limit or its payer's money, who talks hears so."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from billing.ledger import set_balance
from tests.doubles.server import Fault
from tests.neighbours import ours
from tests.voice.hosting.test_muting import room  # noqa: F401  # a fixture
from voice.credit.warnings import warn_of_ends
from voice.models import Call

RATE = 10_300
ADDRESS = "http://localhost:3300/api/voice/announcement?say="


@pytest.fixture
def money(settings, alice):
    settings.MIN_CALL_BALANCE, settings.HOLD_MINUTES = RATE, 1
    return lambda minutes: set_balance(user=alice, balance_micros=minutes * RATE, memo="")


@pytest.fixture
def heard(twilio_double, reconcile):
    """What was spoken to which phones, by a run of the command."""

    def heard():
        twilio_double.announced.clear()
        reconcile()
        return [
            (call, url.removeprefix(ADDRESS).removesuffix("&language=en-US")) for call, url in twilio_double.announced
        ]

    return heard


def pass_by(minutes):
    for call in ours(Call).all():
        call.created_at -= timedelta(minutes=minutes)
        call.ends_at -= timedelta(minutes=minutes)
        call.save()


def test_each_phone_is_told_once_before_its_four_hours_are_over(room, heard, alice, bob):  # noqa: F811
    first, second = room(alice), room(bob)
    pass_by(236)
    assert heard() == []
    pass_by(2)
    assert heard() == [(first, "limit"), (second, "limit")]
    assert heard() == []


def test_before_the_money_ends_all_are_told(room, heard, money, line, alice, bob):  # noqa: F811
    money(200)
    first, second = room(alice), room(bob)  # each has begun a minute
    money(2 + 3 * 2)
    assert heard() == []
    money(2 + 2 * 2)
    assert heard() == [(first, "money"), (second, "money")]
    assert line.ended() == []
    money(2 + 1)
    assert (heard(), line.ended()) == ([], ["Alice", "Bob"])


def test_whose_money_and_time_end_together_hears_of_the_money(room, heard, money, alice):  # noqa: F811
    """To call again would help nobody then."""
    money(200)
    sid = room(alice)
    money(3)
    ours(Call).update(ends_at=timezone.now() + timedelta(minutes=2))
    assert heard() == [(sid, "money")]


def test_where_there_is_money_nobody_is(room, heard, money, alice):  # noqa: F811
    money(200)
    room(alice)
    assert heard() == []


def test_where_twilio_does_not_answer_the_next_run_tells_them(room, heard, twilio_double, alice):  # noqa: F811
    sid = room(alice)
    ours(Call).update(ends_at=timezone.now() + timedelta(minutes=2))
    twilio_double.fail_next(Fault.SERVER_ERROR)
    assert heard() == []
    assert heard() == [(sid, "limit")]


def test_who_has_left_hears_nothing(room, heard, twilio_double, alice):  # noqa: F811
    twilio_double.people[room.sid].remove(room(alice))
    ours(Call).update(ends_at=timezone.now() + timedelta(minutes=2))
    assert (heard(), heard()) == ([], [])


def test_where_calls_cost_nothing_no_money_ends(room, heard, money, settings, alice):  # noqa: F811
    money(0)
    room(alice)
    settings.CALL_RATE = settings.CONFERENCE_RATE = 0
    assert heard() == []


def test_whose_payer_has_money_hears_nothing_of_anothers_end(room, heard, money, alice, bob):  # noqa: F811
    money(200)
    hers, his = room(alice), room(bob)
    set_balance(user=bob, balance_micros=200 * RATE, memo="")
    Call.objects.filter(sid=his).update(payer=bob.account)
    money(2)
    assert heard() == [(hers, "money")]


def test_who_has_not_joined_yet_is_told_nothing(room, heard, line, alice, bob):  # noqa: F811
    sid = room(alice)
    line.call(bob)
    ours(Call).update(ends_at=timezone.now() + timedelta(minutes=2))
    assert heard() == [(sid, "limit")]


def test_who_was_told_to_have_left_is_told_nothing(room, heard, tell, alice, bob):  # noqa: F811
    here, gone = room(alice), room(bob)
    tell(9, "participant-leave", gone, conference=room.sid)
    ours(Call).update(ends_at=timezone.now() + timedelta(minutes=2))
    assert heard() == [(here, "limit")]


def test_whose_limit_is_over_already_is_told_nothing(room, heard, alice):  # noqa: F811
    room(alice)
    ours(Call).update(ends_at=timezone.now() - timedelta(seconds=1))
    assert heard() == []


def test_one_who_could_not_be_told_is_told_by_the_next_run_and_the_other_is_not_again(
    room,  # noqa: F811
    heard,
    twilio_double,
    alice,
    bob,
):
    first, second = room(alice), room(bob)
    ours(Call).update(ends_at=timezone.now() + timedelta(minutes=2))
    twilio_double.fail_next(None, Fault.SERVER_ERROR)
    assert heard() == [(first, "limit")]
    assert heard() == [(second, "limit")]


def test_who_has_switched_warnings_off_hears_none(room, heard, alice, bob):  # noqa: F811
    hers, his = room(alice), room(bob)
    ours(Call).update(ends_at=timezone.now() + timedelta(minutes=2))
    Call.objects.filter(sid=his).update(wants_no_warnings=True)
    assert heard() == [(hers, "limit")]


def test_who_is_in_the_menu_hears_it_once_they_are_back(room, heard, alice):  # noqa: F811
    sid = room(alice)
    ours(Call).update(ends_at=timezone.now() + timedelta(minutes=2), out_since=timezone.now())
    assert heard() == []
    ours(Call).update(out_since=None)
    assert heard() == [(sid, "limit")]


@pytest.mark.parametrize(("left", "is_told"), [(0, False), (1, True), (180, True), (181, False)])
def test_a_phone_is_told_within_the_last_three_minutes(room, twilio_double, alice, left, is_told):  # noqa: F811
    room(alice)
    now = timezone.now()
    ours(Call).update(ends_at=now + timedelta(seconds=left))
    warn_of_ends(now=now)
    assert len(twilio_double.announced) == is_told


def test_of_two_runs_that_have_read_the_same_phones_one_tells_each(room, monkeypatch, alice, bob):  # noqa: F811
    phones, told, now = [room(alice), room(bob)], [], timezone.now()
    ours(Call).update(ends_at=now + timedelta(minutes=2))

    def tell_while_another_runs(*, call_sid, **_):
        told.append(call_sid)
        if len(told) == 1:
            warn_of_ends(now=now)
        return True

    monkeypatch.setattr("voice.credit.warnings.telephony", lambda: SimpleNamespace(announce=tell_while_another_runs))
    warn_of_ends(now=now)
    assert told == phones


def test_where_twilio_does_not_answer_three_times_in_a_row_it_is_not_asked_to_tell_the_others(
    room,  # noqa: F811
    twilio_double,
    alice,
):
    for number in range(5):
        room(alice, f"Alice's phone {number}")
    now, asked = timezone.now(), len(twilio_double.requests)
    ours(Call).update(ends_at=now + timedelta(minutes=2))
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 5)
    assert (warn_of_ends(now=now), len(twilio_double.requests) - asked) == (3, 3)
