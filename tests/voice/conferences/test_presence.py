"""Presence that a client wrote and never took back, since it crashed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from groups.models import Group, Participant
from tests.neighbours import ours
from tests.voice.conferences.test_event_races import at_once, receive
from users.models import User
from voice.conferences.presence import STAYS, heal_presence
from voice.conferences.reconciliation import reconcile_calls
from voice.models import Call


@pytest.fixture
def path(group):
    return f"/api/groups/{group.pk}"


@pytest.fixture
def crash(api, path, group):
    """A client says that somebody is on the call, and is never heard of again."""

    def crash(user):
        assert api.post(f"{path}/callParticipants", {"userId": user.pk}).status_code == 201
        assert api.put(f"{path}/callStatus", {"callStatus": True}).json()["callStatus"]
        assert api.put(f"/api/users/{user.pk}", {"callStatus": True}).json()["callStatus"]

    return crash


@pytest.fixture
def on(api, shown, dave):
    """Who is shown, whether the group is on a call, and whether Dave is."""
    return lambda: (*shown(), api.get(f"/api/users/{dave.pk}").json()["callStatus"])


@pytest.fixture
def ago():
    """What clients have written was so long ago."""

    def ago(**passed):
        then = timezone.now() - timedelta(**passed)
        ours(Participant).update(created_at=then)
        ours(User).update(call_status_at=then)
        ours(Group).update(call_status_at=then)

    return ago


@pytest.mark.django_db(transaction=True)
def test_who_is_put_on_a_call_while_it_is_taken_back_stays_on_it(on_postgresql, group):
    long_ago = timezone.now() - STAYS - timedelta(minutes=1)
    ours(Group).update(call_status=True, call_status_at=long_ago)

    def begin():
        Group.objects.select_for_update().get(pk=group.pk)
        Call.objects.create(sid="CA1", group_id=group.pk, is_on=True)

    at_once(begin, lambda: heal_presence(now=timezone.now()))
    group.refresh_from_db()
    assert group.call_status is True


def test_it_stays_while_others_talk_and_goes_with_the_end_of_their_call(crash, on, tell, leg, alice, dave):
    crash(dave)
    tell(1, "participant-join", leg(alice, "CA1"))
    tell(2, "participant-leave", "CA1")
    assert on()[::2] == (["Dave"], True)
    tell(3, "conference-end", "CA1")
    assert on() == ([], False, False)


def test_also_where_the_end_is_told_first(crash, on, tell, leg, alice, dave):
    leg(alice, "CA1")
    crash(dave)
    for number, event in ((3, "conference-end"), (2, "participant-leave"), (1, "participant-join")):
        tell(number, event, "CA1")
    assert on() == ([], False, False)


def test_also_where_the_end_is_lost_and_twilio_is_asked(crash, on, line, twilio_double, leg, tell, alice, dave):
    crash(dave)
    room = twilio_double.start_conference("1", status="completed")["sid"]
    tell(1, "participant-join", line.call(alice), conference=room)
    reconcile_calls(now=timezone.now() + timedelta(minutes=3))
    assert on() == ([], False, False)


def test_what_comes_after_the_end_stays(crash, on, tell, leg, alice, dave):
    leg(alice, "CA1")
    tell(3, "conference-end", "CA1")
    crash(dave)
    tell(2, "participant-leave", "CA1")
    tell(3, "conference-end", "CA1")
    assert on() == (["Dave"], True, True)


def test_it_stays_until_the_groups_last_call_ends(crash, on, tell, leg, alice, bob, dave):
    crash(dave)
    tell(1, "participant-join", leg(alice, "CA1"), conference="CF1")
    tell(1, "participant-join", leg(bob, "CA2"), conference="CF2")
    tell(2, "conference-end", conference="CF1")
    assert sorted(on()[0]) == ["Bob", "Dave"]
    tell(2, "conference-end", conference="CF2")
    assert on() == ([], False, False)


def test_who_is_just_calling_in_stays(crash, on, tell, leg, alice, dave):
    tell(1, "participant-join", leg(alice, "CA1"))
    crash(dave)
    leg(dave, "CA2")
    tell(2, "conference-end", "CA1")
    assert on()[::2] == (["Dave"], True)


def test_who_has_left_the_call_is_on_no_other_for_that(crash, on, tell, leg, alice, dave):
    for number, (user, sid) in enumerate(((alice, "CA1"), (dave, "CA2")), 1):
        tell(number, "participant-join", leg(user, sid))
    tell(3, "participant-leave", "CA2")
    crash(dave)
    assert sorted(on()[0]) == ["Alice", "Dave"]
    tell(4, "conference-end", "CA1")
    assert on() == ([], False, False)


def test_nor_is_one_just_calling_in_whose_leg_has_ended(crash, on, tell, leg, twilio, alice, dave):
    tell(1, "participant-join", leg(alice, "CA1"))
    crash(dave)
    twilio("/api/voice/callEvents", CallSid=leg(dave, "CA2"), CallStatus="no-answer")
    tell(2, "conference-end", "CA1")
    assert on() == ([], False, False)


def test_whose_other_call_goes_on_is_on_a_call(crash, on, tell, leg, twilio, alice, dave):
    work = Group.objects.create(name="Work")
    twilio("/api/voice/makeCall", to=work.pk, From=f"client:u_{dave.pk}", CallSid="CA2")
    tell(1, "participant-join", "CA2", conference="CF2", FriendlyName=work.pk)
    crash(dave)
    tell(1, "participant-join", leg(alice, "CA1"))
    tell(2, "conference-end")
    assert on() == ([], False, True)


# A group that never calls


@pytest.mark.parametrize(
    ("minutes", "healed", "then"), [(239, 0, (["Dave"], True, True)), (241, 3, ([], False, False))]
)
def test_without_a_call_it_goes_after_four_hours(crash, on, ago, reconcile, dave, minutes, healed, then):
    crash(dave)
    ago(minutes=minutes)
    assert f"took back {healed} call statuses" in reconcile()
    assert on() == then


@pytest.mark.parametrize("minutes", [239, 241])
@pytest.mark.parametrize("called", [False, True], ids=["never called", "called once"])
def test_a_status_alone_stays_as_long(api, path, on, ago, reconcile, tell, leg, dave, minutes, called):
    if called:
        tell(1, "participant-join", leg(dave, "CA1"))
        tell(2, "conference-end", "CA1")
    for status in (path + "/callStatus", f"/api/users/{dave.pk}"):
        api.put(status, {"callStatus": True})
    ago(minutes=minutes)
    reconcile()
    assert on()[1:] == ((True, True) if minutes < 240 else (False, False))


@pytest.mark.parametrize("through", ["PUT group", "POST group"])
def test_a_groups_status_counts_from_when_it_was_written(api, path, group, reconcile, through):
    ours(Group).update(call_status_at=timezone.now() - STAYS * 2)
    if through == "PUT group":
        shown = api.put(path, {"callStatus": True}).json()
    else:
        shown = api.post("/api/groups", {"name": "New", "callStatus": True}).json()
    reconcile()
    assert api.get(f"/api/groups/{shown['id']}/callStatus").json() == {"callStatus": True}


def test_a_status_that_is_written_again_is_no_newer(api, path, crash, ago, reconcile, on, dave):
    """A client that repeats what stands there keeps no ghost alive."""
    crash(dave)
    ago(hours=5)
    for status in (path, path + "/callStatus", f"/api/users/{dave.pk}"):
        api.put(status, {"callStatus": True})
    reconcile()
    assert on() == ([], False, False)


def test_a_persons_status_counts_from_when_it_was_written(api, on, ago, reconcile, dave):
    ago(hours=9)
    api.put(f"/api/users/{dave.pk}", {"callStatus": True})
    reconcile()
    assert on()[2] is True


def test_whoever_has_a_leg_on_the_call_stays(crash, on, ago, tell, leg, dave):
    crash(dave)
    tell(1, "participant-join", leg(dave, "CA1"))
    ago(hours=9)
    assert heal_presence(now=timezone.now()) == 0
    assert on() == (["Dave"], True, True)


def test_whom_a_later_row_shows_keeps_their_status(crash, on, ago, dave):
    crash(dave)
    ago(hours=9)
    ours(Participant).update(created_at=timezone.now())
    assert heal_presence(now=timezone.now()) == 0
    assert on() == (["Dave"], True, True)


def test_of_two_on_the_list_who_was_written_there_four_hours_ago_goes_alone(crash, on, ago, bob, dave):
    for user in (bob, dave):
        crash(user)
    ago(minutes=239)
    then = timezone.now() - STAYS
    Participant.objects.filter(user=dave).update(created_at=then)
    assert heal_presence(now=then + STAYS) == 1
    assert on()[:2] == (["Bob"], True)


def test_who_is_on_a_call_is_so_without_a_row_of_the_list(crash, ago, api, tell, leg, dave, path):
    crash(dave)
    tell(1, "participant-join", leg(dave, "CA1"))
    ours(Participant).all().delete()
    ago(hours=9)
    assert heal_presence(now=timezone.now()) == 0
    assert api.get(f"/api/users/{dave.pk}").json()["callStatus"]
    assert api.get(f"{path}/callStatus").json()["callStatus"]


def test_nobody_is_hung_up_on_for_it(crash, ago, leg, reconcile, committed, dave):
    crash(dave)
    leg(dave, "CA1")
    ours(Call).update(conference=None)
    ago(hours=9)
    with committed():
        assert "hung up on 0 calls" in reconcile()
    assert not Call.objects.to_be_hung_up().exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_that_comes_meanwhile_wins(on_postgresql, crash, on, ago, leg, group, dave):
    leg(dave, "CA1")
    crash(dave)
    ours(Participant).all().delete()
    ago(hours=9)
    at_once(
        lambda: receive(1, "participant-join", "CA1", group=group),
        lambda: heal_presence(now=timezone.now()),
    )
    assert on() == (["Dave"], True, True)
