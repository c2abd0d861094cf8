"""Twilio is told until the leg has ended, and people can see how many are still on."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from core.jobs.models import Job
from groups.models import Group, Membership
from tests.admin.conftest import browser, root  # noqa: F401  # fixtures
from tests.doubles.server import Fault
from tests.neighbours import ours
from tests.voice.conftest import MINUTES_LATER
from users.models import User
from voice.hang_ups import CLAIM, end_leg, repeat_hang_ups
from voice.models import Call, HangUp
from voice.telephony.interface import TelephonyUnavailable


@pytest.fixture
def removed(line, committed, api, group, bob):
    """Bob is taken off the group while Twilio does not answer."""
    line.join(bob)
    line.twilio.fail_next(*[Fault.SERVER_ERROR] * 9)
    with committed():
        api.delete(f"/api/groups/{group.pk}/groupMembers/{bob.pk}")
    assert line.ended() == []
    return line


@pytest.fixture
def a_minute_later():
    def a_minute_later():
        for model, column in ((Call, "hang_up_at"), (HangUp, "asked_at")):
            model.objects.update(**{column: timezone.now() - timedelta(minutes=1)})

    return a_minute_later


@pytest.mark.alone
def test_what_twilio_did_not_answer_is_told_again(removed, reconcile, a_minute_later):
    removed.twilio.faults.clear()
    a_minute_later()
    assert "hung up on 1 calls" in reconcile()
    assert removed.ended() == ["Bob"]


@pytest.mark.alone
def test_twilio_is_told_until_the_leg_has_ended_in_our_books(removed, reconcile, a_minute_later, twilio):
    for faults, still in ((9, 1), (0, 1), (0, 1)):
        removed.twilio.faults.clear()
        removed.twilio.fail_next(*[Fault.SERVER_ERROR] * faults)
        a_minute_later()
        assert f"{still} still on" in reconcile()
    twilio("/api/voice/callEvents", CallSid=removed.sids["Bob"], CallStatus="completed", CallDuration="61")
    assert "hung up on 0 calls, 0 still on" in reconcile()


@pytest.mark.parametrize(("seconds", "still"), [(0, 0), (25, 0), (35, 1)])
def test_who_was_hung_up_on_a_moment_ago_is_not_counted_as_still_on(removed, reconcile, seconds, still):
    HangUp.objects.create(call=ours(HangUp).get().call, why=HangUp.Why.DISABLED)  # one phone, for two reasons
    ours(HangUp).update(asked_at=timezone.now() - timedelta(seconds=seconds))
    assert f"{still} still on" in reconcile()


@pytest.mark.alone
def test_failures_are_counted(removed, reconcile, a_minute_later):
    a_minute_later()
    assert " 1 failed; hung up on 0 calls, 1 still on" in reconcile()


def test_of_several_legs_one_that_fails_holds_up_no_other(line, committed, api, group, alice, bob):
    for name in "12345":
        line.join(bob, name)
    line.twilio.fail_next(*[Fault.SERVER_ERROR] * 3)
    with committed():
        api.delete(f"/api/groups/{group.pk}/groupMembers/{bob.pk}")
    failed = 5 - len(line.ended())
    assert 0 < failed < 5
    Job.objects.unfinished().exclude(task=MINUTES_LATER).update(due_at=timezone.now())
    with committed():
        assert Job.objects.unfinished().exclude(task=MINUTES_LATER).count() == failed
    assert len(line.ended()) == 5


@pytest.mark.alone
def test_a_run_after_a_failure_tells_it_and_one_after_that_asks_nothing_more(removed, reconcile, run_jobs):
    removed.twilio.faults.clear()
    assert "hung up on 1 calls" in reconcile()
    asked = len(removed.twilio.requests)
    Job.objects.unfinished().exclude(task=MINUTES_LATER).update(due_at=timezone.now())
    assert run_jobs() == ["end_leg"]
    assert "hung up on 0 calls" in reconcile()
    assert len(removed.twilio.requests) == asked


@pytest.mark.alone
def test_a_join_of_theirs_is_another_try(removed, committed, tell, a_minute_later, bob):
    removed.twilio.faults.clear()
    User.objects.filter(pk=bob.pk).update(is_active=False)
    a_minute_later()
    with committed():
        tell(2, "participant-leave", removed.sids["Bob"])
        tell(3, "participant-join", removed.sids["Bob"])
    assert removed.ended() == ["Bob"]
    assert ours(HangUp).count() == 1


def test_operators_find_who_is_to_be_hung_up_on_and_why(removed, browser, line, alice):  # noqa: F811  # a fixture
    line.join(alice)
    found = browser.get("/admin/voice/call/?ending=due").context["cl"].result_list
    assert [call.sid for call in found] == [line.sids["Bob"]]
    page = browser.get(f"/admin/voice/call/{found[0].pk}/change/").content.decode()
    assert "no longer in the group" in page


def test_twilio_is_not_asked_twice_by_two_runs(removed):
    removed.twilio.faults.clear()
    now = timezone.now() + CLAIM
    assert [repeat_hang_ups(now=at).ended for at in (now, now, now + CLAIM)] == [1, 0, 1]


def test_of_two_runs_that_have_read_the_same_legs_one_tells_of_each(line, api, group, bob, monkeypatch):
    for name in ("Bob", "Bob's tablet"):
        line.join(bob, name)
    api.delete(f"/api/groups/{group.pk}/groupMembers/{bob.pk}")
    told, now = [], timezone.now()

    def tell_while_another_runs(sid):
        told.append(sid)
        if len(told) == 1:
            repeat_hang_ups(now=now)

    monkeypatch.setattr("voice.hang_ups.end_at_twilio", tell_while_another_runs)
    repeat_hang_ups(now=now)
    assert sorted(told) == sorted(line.sids.values())


@pytest.mark.alone
def test_of_two_told_at_the_same_moment_the_one_that_failed_is_told_again_at_once(
    line, committed, api, group, bob, reconcile, monkeypatch
):
    line.join(bob)
    line.join(bob, "Bob's tablet")
    moment = timezone.now()
    monkeypatch.setattr("voice.hang_ups.timezone", SimpleNamespace(now=lambda: moment))
    line.twilio.fail_next(None, Fault.SERVER_ERROR)
    with committed():
        api.delete(f"/api/groups/{group.pk}/groupMembers/{bob.pk}")
    assert len(line.ended()) == 1
    assert "hung up on 1 calls" in reconcile()
    assert line.ended() == ["Bob", "Bob's tablet"]


def test_a_run_that_fails_late_leaves_a_leg_to_whoever_has_taken_it_since(removed, monkeypatch):
    told = []

    def fail_late(sid):
        told.append(sid)
        if len(told) == 1:
            repeat_hang_ups(now=timezone.now() + CLAIM)
            raise TelephonyUnavailable

    monkeypatch.setattr("voice.hang_ups.end_at_twilio", fail_late)
    with pytest.raises(TelephonyUnavailable):
        end_leg.func(Call.objects.get(sid=removed.sids["Bob"]).pk)
    repeat_hang_ups(now=timezone.now() + CLAIM)
    assert len(told) == 2


# What nothing told: each minute all running legs are looked at


@pytest.fixture
def talk(line, alice, bob):
    line.join(alice)
    line.join(bob)
    return line


@pytest.mark.parametrize(
    "change",
    [
        lambda bob: User.objects.filter(pk=bob.pk).update(is_active=False),
        lambda bob: Membership.objects.filter(user=bob)._raw_delete("default"),
    ],
    ids=["disabled", "no part"],
)
def test_a_change_behind_our_back_is_found(talk, reconcile, sign_in, bob, change):
    change(bob)
    assert "hung up on 1 calls" in reconcile()
    assert talk.ended() == ["Bob"]


def test_in_open_mode_no_part_is_needed(talk, reconcile, bob, alice):
    Membership.objects.filter(user=bob)._raw_delete("default")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    reconcile()
    assert talk.ended() == ["Alice"]


def test_the_legs_of_a_group_that_is_gone_are_ended_also_where_nobody_knows_them(talk, reconcile, group):
    ours(Call).update(user_id=None)
    Group.objects.filter(pk=group.pk).delete()
    ours(HangUp).all().delete()
    assert "hung up on 2 calls" in reconcile()


@pytest.mark.parametrize("sign_in_is_on", [True, False])
def test_who_may_be_on_talks_on(talk, reconcile, twilio, settings, group, sign_in_is_on):
    Call.objects.create(sid="CA1", group_id=group.pk)
    Call.objects.create(sid="CA2")
    settings.OPEN_MODE = not sign_in_is_on
    assert "hung up on 0 calls, 0 still on" in reconcile()


def test_the_sweep_takes_as_many_queries_for_many_legs_as_for_few(talk, leg, bob, django_assert_max_num_queries):
    for number in range(20):
        leg(bob, f"CA{number}")
    with django_assert_max_num_queries(3):
        repeat_hang_ups(now=timezone.now())
