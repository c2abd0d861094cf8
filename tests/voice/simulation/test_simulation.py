import re
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from groups.models import Group, Participant
from tests.conftest import person
from tests.neighbours import ours
from users.models import User, VerifiedNumber
from voice.conferences.fold import Facts, NumberedEvent, fold
from voice.models import Call, Conference, ConferenceEvent
from voice.simulation.script import CONFERENCE_EVENTS, Caller, disturb, script

CALLERS = [Caller(name, f"u_{number}") for number, name in enumerate("ABCD")]


def events(webhooks):
    told = [each.params for each in webhooks if each.path == CONFERENCE_EVENTS]
    return [NumberedEvent(int(each["SequenceNumber"]), each["StatusCallbackEvent"], each["CallSid"]) for each in told]


def test_a_script_brings_everybody_on_and_off_again():
    told = events(script(1, CALLERS, 3, Random(1)))
    most = max(len(fold(told[:count], Facts()).on) for count in range(len(told)))
    assert (most, fold(told, Facts()).ended) == (4, True)


@pytest.mark.parametrize("seed", range(50))
def test_people_may_join_in_the_same_second(seed):
    told = events(script(1, CALLERS, 0.05, Random(seed)))
    assert fold(told, Facts()).ended


def test_every_event_has_its_number():
    told = events(script(1, CALLERS, 3, Random(1)))
    assert [each.sequence_number for each in told] == list(range(1, len(told) + 1))


def test_a_bad_line_repeats_and_shuffles_but_answers_every_call():
    webhooks = script(1, CALLERS, 3, Random(1))
    told = disturb(webhooks, shuffle=True, lose=0.0, repeat=3, random=Random(2))
    assert len(events(told)) == 3 * len(events(webhooks))
    assert events(told) != sorted(events(told), key=lambda each: each.sequence_number)
    assert {each.told for each in told[:4]} == {f"{name} calls" for name in "ABCD"}


def test_a_bad_line_loses_events():
    webhooks = script(1, CALLERS, 3, Random(1))
    told = disturb(webhooks, shuffle=False, lose=0.5, repeat=1, random=Random(2))
    assert 0 < len(events(told)) < len(events(webhooks))


@pytest.fixture
def simulate(live_server, capsys):
    """Plays a call of a new group against a running server; what it printed."""
    group = Group.objects.create(name="Family")
    for name in ("Anna", "Ben"):
        group.memberships.create(user=person(name))

    def simulate(**options):
        call_command("simulate_call", group.pk, fast=True, url=live_server.url, **options)
        return capsys.readouterr().out

    return simulate


def test_it_shows_who_is_on_after_each_event(simulate):
    said = simulate(people=3, seed=1)
    assert re.search(r"Anna joins +on the call: Anna\n", said) or re.search(r"Ben joins +on the call: Ben\n", said)
    assert said.splitlines()[-1].endswith("on the call: nobody")


def test_members_dial_in_by_telephone_with_their_pin(simulate):
    said = simulate(people=2, landlines=1, seed=1)
    assert re.search(r"Ben joins +on the call: .*Ben", said)
    callers = {call.user_id: call.caller for call in ours(Call).all()}
    anna, ben = ours(User).order_by("pk")
    assert callers == {anna.pk: f"client:u_{anna.pk}", ben.pk: "anonymous"}
    assert said.splitlines()[-1].endswith("on the call: nobody")


def test_who_has_a_telephone_mutes_themself_by_its_keypad_and_never_seems_gone(simulate):
    said = simulate(people=2, landlines=1, seed=1)
    steps = ("Ben presses *, then 1", "Ben steps out", "Ben is back, muted")
    assert all(re.search(rf"{re.escape(step)} +on the call: .*Ben", said) for step in steps)
    assert Call.objects.get(caller="anonymous").let_in_muted


def test_who_has_verified_their_number_is_known_by_it(simulate):
    ben = ours(User).order_by("pk").last()
    VerifiedNumber.objects.create(user=ben, number="+12025550123", verified_at=timezone.now())
    simulate(people=2, known=1, seed=1)
    assert Call.objects.get(user_id=ben.pk).caller == "+12025550123"


def test_who_has_verified_none_is_named(simulate):
    with pytest.raises(CommandError, match="Ben has verified no"):
        simulate(people=2, known=1, seed=1)


def test_so_they_do_where_sign_in_is_on(simulate, sign_in):
    simulate(people=2, landlines=2, seed=1, email="anna@example.com")
    assert {call.caller for call in ours(Call).all()} == {"anonymous"}


def test_a_shuffled_and_repeated_call_ends_with_nobody_on_it(simulate):
    simulate(shuffle=True, repeat=3, seed=2)
    assert not ours(Participant).exists()
    assert ours(Conference).get().ended_at
    assert ours(ConferenceEvent).count() < ours(Call).count() * 4 + 3


@pytest.mark.alone
def test_what_a_lossy_call_leaves_behind_is_healed(simulate):
    simulate(lose=0.6, seed=3)
    call_command("reconcile_calls", silent=0)
    assert not ours(Participant).exists()
    assert not Call.objects.filter(end_time=None).exists()


@pytest.mark.parametrize("share", ["x", "-1%", "101%"])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(CommandError):
        call_command("simulate_call", "1", f"--lose={share}")


@pytest.mark.parametrize("minutes", ["0", "-5", "nan", "inf", "x"])
def test_a_length_that_is_none_is_refused(minutes):
    with pytest.raises(CommandError):
        call_command("simulate_call", "1", f"--minutes={minutes}")


@pytest.mark.parametrize("url", ["nonsense", "http://[bad", "http://127.0.0.1:9"])
def test_an_address_where_nothing_is_is_told(db, url):
    with pytest.raises(CommandError):
        call_command("simulate_call", 1, url=url)


def test_real_calls_are_not_simulated(twilio_telephony):
    with pytest.raises(CommandError, match="real"):
        call_command("simulate_call", 1)


def test_an_unknown_group_is_told(live_server):
    with pytest.raises(CommandError, match="404"):
        call_command("simulate_call", 999, url=live_server.url)
