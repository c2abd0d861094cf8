"""Who steps out into the menu and comes back has never been gone, for anybody; who stays out has left."""

from datetime import timedelta
from email.utils import format_datetime
from itertools import permutations

import pytest
from django.db import transaction
from django.utils import timezone

from groups.models import Activity
from groups.notifications.models import Notice
from tests.neighbours import ours
from tests.voice.conftest import EVENTS
from voice.models import Call, Conference, GroupCall

CALLS = "/api/voice/callEvents"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def both(alices, bobs, room):
    """Alice and Bob talk; Bob has a telephone."""
    return room


@pytest.mark.parametrize("status", ["in-progress", None])
def test_nobody_sees_who_comes_back(both, bobs, version, shown, status):
    """Though Twilio should not say how the call of who left stands: then the menu's own request tells."""
    before, conference = version(), both.sid
    bobs.star()
    both.leave(bobs, status)
    assert shown() == (["Alice", "Bob"], True)
    bobs.wait()
    both.join(bobs)
    assert (version(), both.sid, ours(Activity).count()) == (before, conference, 0)
    leg = Call.objects.get(sid=bobs.sid)
    assert (leg.is_on, leg.out_since, bobs.conference.get("participantLabel")) == (True, None, f"leg_{leg.pk}_2")


def test_nor_where_the_leave_is_told_before_the_menu_is_asked_for(both, bobs, version):
    before = version()
    both.leave(bobs)
    bobs.star().wait()
    both.join(bobs)
    assert version() == before


def test_nor_in_how_the_call_stands(both, bobs, api, group):
    def stands():
        found = api.get(f"/api/groups/{group.pk}/call").json()
        return {name: found[name] for name in ("startedAt", "participants", "callStatus", "unknownCallers")}

    before = stands()
    bobs.star()
    both.leave(bobs)
    assert stands() == before
    bobs.press("*")
    both.join(bobs)
    assert stands() == before


def test_every_order_of_leaving_and_coming_back_ends_the_same(alices, bobs, room, shown):
    bobs.star()
    told = room.leaves(bobs)
    bobs.wait()
    told += [room.joins(bobs), room.event("participant-mute", bobs.sid), room.event("participant-unmute", bobs.sid)]
    for order in permutations(told):
        with transaction.atomic():
            for event in (*order, order[0]):
                room.send(event)
            leg = Call.objects.get(sid=bobs.sid)
            assert (shown(), leg.is_on, leg.out_since) == ((["Alice", "Bob"], True), True, None)
            transaction.set_rollback(True)


def test_every_order_of_who_was_alone_and_comes_back_to_another_conference_ends_the_same(bobs, room, shown, version):
    bobs.star()
    told = room.leaves(bobs)
    bobs.wait()
    told.append(room.joins(bobs))
    before = version()
    for order in permutations(told):
        with transaction.atomic():
            for event in (*order, *order[:2]):
                room.send(event)
            leg = Call.objects.get(sid=bobs.sid)
            assert (leg.conference_id, leg.is_on, leg.out_since) == ("CF2", True, None)
            assert (shown(), version()) == ((["Bob"], True), before)
            transaction.set_rollback(True)


def test_who_stays_out_has_left_after_half_a_minute(both, bobs, shown, pass_by, run_jobs):
    bobs.star()
    both.leave(bobs)
    pass_by(15)
    run_jobs()
    assert shown() == (["Alice", "Bob"], True)
    pass_by(16)
    run_jobs()
    assert shown() == (["Alice"], True)
    leg = Call.objects.get(sid=bobs.sid)
    assert (leg.end_time, leg.out_since) == (None, None)


def test_it_counts_from_when_they_left_however_late_that_is_told(both, bobs, shown):
    left = format_datetime(timezone.now() - timedelta(seconds=31))
    both.send(both.event("participant-leave", bobs.sid, ParticipantCallStatus="in-progress", Timestamp=left))
    assert shown() == (["Alice"], True)


def test_it_counts_from_when_twilio_asked_first(both, bobs, shown, pass_by, run_jobs):
    address = bobs.action
    bobs.star()
    both.leave(bobs, None)
    pass_by(20)
    bobs.ask(address).press("7")
    assert Call.objects.get(sid=bobs.sid).entry == 2
    pass_by(11)
    run_jobs()
    assert shown() == (["Alice"], True)


def test_so_they_have_where_no_worker_runs(both, bobs, shown, pass_by, reconcile):
    bobs.star()
    both.leave(bobs)
    pass_by(31)
    reconcile()
    assert shown() == (["Alice"], True)


def test_and_with_the_next_that_is_told_of_anybody(both, alices, bobs, shown, pass_by):
    bobs.star()
    both.leave(bobs)
    pass_by(31)
    both.send(both.event("participant-mute", alices.sid))
    assert shown() == (["Alice"], True)


def test_who_comes_back_later_has_joined_again(both, bobs, shown, pass_by, run_jobs, version):
    bobs.star()
    both.leave(bobs)
    pass_by(31)
    run_jobs()
    before = version()
    bobs.wait()
    both.join(bobs)
    assert shown() == (["Alice", "Bob"], True)
    assert version() > before


@pytest.mark.parametrize("told_by", ["callback", "action"])
def test_who_hangs_up_in_the_menu_is_gone_at_once(both, bobs, shown, twilio, told_by):
    bobs.star()
    both.leave(bobs)
    if told_by == "callback":
        bobs.hang_up()
    else:
        twilio(bobs.gather.get("action").removeprefix("http://localhost:3300"), **bobs.params, CallStatus="completed")
    assert shown() == (["Alice"], True)


def test_who_hangs_up_on_the_call_is_gone_at_once(both, bobs, shown):
    both.leave(bobs, "completed")
    assert shown() == (["Alice"], True)


def test_an_app_has_no_menu_to_be_in(alices, room, leg, shown, bob):
    sid = leg(bob, "CA9")
    room.on.add(sid)
    room.send(room.event("participant-join", sid))
    room.send(room.event("participant-leave", sid, ParticipantCallStatus="in-progress"))
    assert shown() == (["Alice"], True)


# Alone


@pytest.fixture
def out(bobs, room, group, run_jobs):
    """Bob was alone on a locked call, and has stepped out: his conference has ended."""
    run_jobs()
    GroupCall.objects.create(group=group, locked=True)
    bobs.star()
    room.leave(bobs)
    return bobs


def test_the_call_of_who_was_alone_goes_on_while_they_are_out(out, shown):
    assert shown() == (["Bob"], True)
    assert (ours(Conference).get().ended_at, ours(GroupCall).get().locked) == (None, True)


def test_and_on_another_conference_once_they_are_back(out, room, shown, version, api, group, pass_by, run_jobs):
    path = f"/api/groups/{group.pk}/call"
    ours(Conference).update(created_at=timezone.now() - timedelta(hours=1))
    started, before = api.get(path).json()["startedAt"], version()
    out.wait()
    room.join(out)
    assert (room.sid, version(), api.get(path).json()["startedAt"]) == ("CF2", before, started)
    pass_by(31)
    run_jobs()
    first, second = ours(Conference).order_by("sid")
    assert (first.ended_at is None, second.ended_at) == (False, None)
    assert (second.notified_at, second.announcement) == (first.notified_at, first.announcement)
    assert (shown(), ours(GroupCall).get().locked) == ((["Bob"], True), True)
    assert not Notice.objects.filter(kind=Notice.Kind.MISSED).exists()


def test_who_comes_back_once_it_has_ended_begins_another_call(out, room, api, group, pass_by, run_jobs):
    pass_by(31)
    run_jobs()
    out.wait()
    room.join(out)
    run_jobs()
    first, second = ours(Conference).order_by("sid")
    assert (second.created_at > first.ended_at, second.notified_at > first.notified_at) == (True, True)


def test_who_talked_with_others_who_stepped_out_more_often_comes_back_to_the_next_one(alices, bobs, room, shown):
    for _ in range(2):
        alices.star()
        room.leave(alices)
        alices.wait()
        room.join(alices)
    room.leave(alices, "completed")
    bobs.star()
    room.leave(bobs)
    bobs.wait()
    room.join(bobs)
    assert (room.sid, Call.objects.get(sid=bobs.sid).conference_id, shown()) == ("CF2", "CF2", (["Bob"], True))


def test_who_steps_out_before_the_group_is_told_is_announced_once(bobs, room, run_jobs, other_group):
    Conference.objects.create(sid="CF9", group_id=other_group.pk, announcement=Conference.Announcement.DUE)
    bobs.star()
    room.leave(bobs)
    bobs.wait()
    room.join(bobs)
    run_jobs()
    told = dict(ours(Conference).values_list("sid", "announcement"))
    assert told == {"CF1": "spared", "CF2": "told", "CF9": "due"}


def test_who_is_alone_on_the_next_conference_is_so_there(out, room):
    out.wait()
    room.join(out)
    assert Conference.objects.get(sid="CF2").alone_since


def test_who_never_comes_back_has_ended_it(out, shown, pass_by, run_jobs):
    pass_by(31)
    run_jobs()
    assert shown() == ([], False)
    assert (ours(Conference).get().ended_at is None, ours(GroupCall).get().locked) == (False, False)


def test_somebody_who_joins_meanwhile_is_met(out, room, phone, shown, group):
    ours(GroupCall).update(locked=False)
    room.join(phone("+12025550111"))
    notified_at = Conference.objects.get(sid="CF2").notified_at
    out.wait()
    room.join(out)
    assert Conference.objects.get(sid="CF2").notified_at == notified_at
    assert (sorted(shown()[0]), room.sid) == (["Alice", "Bob"], "CF2")
    assert Conference.objects.get(sid="CF2").alone_since is None


def test_who_talks_with_somebody_in_the_menu_is_not_alone(both, bobs):
    bobs.star()
    both.leave(bobs)
    assert ours(Conference).get().alone_since is None


def test_a_leg_of_another_groups_conference_moves_nowhere(bobs, twilio, other_group):
    params = {"ConferenceSid": "CF9", "FriendlyName": other_group.pk, "SequenceNumber": 1, "CallSid": bobs.sid}
    twilio(EVENTS, StatusCallbackEvent="participant-join", **params, ParticipantLabel="leg_1_9")
    assert ours(Call).get().conference_id == "CF1"


def test_which_conference_a_leg_has_joined_last_is_said_by_its_label_and_not_by_when_it_was_told(bobs, tell):
    """Of the first one the join comes last, and says no time."""
    leg = ours(Call).get().pk
    for conference, entry in (("CF3", 3), ("CF2", 2)):
        tell(1, "participant-join", bobs.sid, conference=conference, ParticipantLabel=f"leg_{leg}_{entry}")
    assert ours(Call).get().conference_id == "CF3"


def test_how_they_were_seen_on_the_first_conference_says_nothing_of_the_next(bobs, room, numbers, phone, shown):
    ours(Call).update(seen_on=True, seen_after=5)
    room.number = 5
    bobs.star()
    room.leave(bobs)
    bobs.wait()
    room.join(bobs), room.join(phone("+12025550111"))
    room.leave(bobs, None)
    assert shown() == (["Alice"], True)


@pytest.mark.parametrize(
    ("first", "second"),
    [({"Timestamp": -2 * MINUTE}, {"Timestamp": -MINUTE}), ({"Timestamp": -MINUTE}, {})],
    ids=["both say when", "one does not say when"],
)
def test_where_the_label_is_the_same_the_clock_says_which_conference_a_leg_has_joined_last(
    alice, leg, tell, first, second
):
    """An event without a time happened when it was told: the later one is told first where both say when."""
    now = timezone.now()
    told = [{name: format_datetime(now + ago) for name, ago in each.items()} for each in (first, second)]
    tell(1, "participant-join", leg(alice, "CA1"), conference="CF0")
    events = [("CF1", told[0]), ("CF2", told[1])]
    for conference, when in reversed(events) if second else events:
        tell(1, "participant-join", "CA1", conference=conference, **{"ParticipantLabel": "leg_1_2", **when})
    assert ours(Call).get().conference_id == "CF2"


def test_a_leave_that_is_told_late_takes_nobody_back(alice, leg, tell):
    leg(alice, "CA1")
    for conference in ("CF1", "CF2"):
        tell(1, "participant-join", "CA1", conference=conference)
    tell(2, "participant-leave", "CA1", conference="CF1")
    assert ours(Call).get().conference_id == "CF2"


def test_a_join_that_does_not_count_moves_nobody(bobs, tell):
    leg = ours(Call).get().pk
    tell("", "participant-join", bobs.sid, conference="CF2", ParticipantLabel=f"leg_{leg}_2")
    tell(1, "participant-mute", bobs.sid, conference="CF2")
    assert ours(Call).get().conference_id == "CF1"


def test_what_another_groups_conference_said_of_a_leg_holds_it_nowhere(bobs, room, twilio, other_group):
    params = {"ConferenceSid": "CF9", "FriendlyName": other_group.pk, "SequenceNumber": 1, "CallSid": bobs.sid}
    twilio(EVENTS, StatusCallbackEvent="participant-join", **params, ParticipantLabel="leg_1_9")
    bobs.star()
    room.leave(bobs)
    bobs.wait()
    room.join(bobs)
    assert ours(Call).get().conference_id == "CF2"


@pytest.mark.parametrize("label", ["leg_1_x", "leg_1_²", "leg_1_" + "9" * 5000], ids=["x", "²", "many"])
def test_a_label_of_no_number_is_the_first_time(bobs, tell, label):
    tell(1, "participant-join", bobs.sid, conference="CF2", ParticipantLabel=label, Timestamp="")
    assert ours(Call).get().conference_id == "CF2"


@pytest.fixture
def other_group(dave):
    from groups.models import Group, Ownership

    group = Group.objects.create(name="Choir")
    Ownership.objects.create(group=group, user=dave)
    return group
