"""The calls that are on now, and what an operator does there."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.utils import timezone

from groups.models import Group, Participant
from tests.admin.conftest import WHY, Browser, text
from tests.doubles.server import Fault
from tests.neighbours import ours
from voice.models import Call, Conference, HangUp

PAGE = "/admin/voice/call/running/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def legs(group, alice, bob, twilio_telephony, twilio_double):
    """Alice's and a stranger's phone on the group's call; one that has left; and nobody's on another call."""
    room = twilio_double.start_conference(str(group.pk))["sid"]
    twilio_double.people[room] = ["CAaa", "CAbb"]
    talk = Conference.objects.create(pk=room, group_id=group.pk)
    now = timezone.now()
    on = {"group_id": group.pk, "conference": talk, "is_on": True, "start_time": now}
    Participant.objects.create(group=group, user=alice)
    Call.objects.create(sid="CAcc", group_id=group.pk, user_id=bob.pk, end_time=now + timedelta(seconds=1))
    hers = Call.objects.create(sid="CAaa", user_id=alice.pk, caller="client:u_1", **on)
    theirs = Call.objects.create(sid="CAbb", caller="+12025550123", **on)
    return hers, theirs


@pytest.fixture
def act(browser):
    return lambda words, by=browser: by.post(f"{PAGE}act/", {"act": words, "why": WHY}, follow=True)


def history():
    return [(entry.object_repr, entry.get_change_message()) for entry in LogEntry.objects.order_by("pk")]


@pytest.mark.alone
def test_who_is_on_stands_there_and_nobody_else(browser, legs):
    shown = text(browser.get(PAGE))
    assert "2 phones, as of" in shown
    for words in ("Family", "alice@example.com", "unknown: +12025550123"):
        assert words in shown
    assert "bob@example.com" not in shown
    rows = text(browser.get(f"{PAGE}rows/"))
    assert ("alice@example.com" in rows, "<html" in rows) == (True, False)


def test_a_groups_phones_stand_together_in_the_order_in_which_they_came(browser, legs, group):
    choir, now = Group.objects.create(name="Choir"), timezone.now()
    for number, (of, minutes) in enumerate(((choir, 2), (group, 9), (choir, 5))):
        start = now - timedelta(minutes=minutes)
        Call.objects.create(
            sid=f"CA{number}", caller=f"+1202555019{number}", group_id=of.pk, is_on=True, start_time=start
        )
    shown = text(browser.get(PAGE))
    callers = re.findall(r"unknown: (\+1\d+)", shown.partition("+18885550103")[2])
    assert callers == ["+12025550191", "+12025550123", "+12025550192", "+12025550190"]


@pytest.mark.alone
def test_where_nobody_is_on_it_says_so(browser):
    assert "Nobody is on a call, as of" in text(browser.get(PAGE))


def test_a_phone_is_muted_and_unmuted(act, legs, browser, twilio_double):
    hers, _ = legs
    assert "Muted." in text(act(f"mute {hers.pk}"))
    assert twilio_double.muted == {"CAaa"}
    assert f'value="unmute {hers.pk}"' in text(browser.get(PAGE))
    assert "Unmuted." in text(act(f"unmute {hers.pk}"))
    assert f'value="mute {hers.pk}"' in text(browser.get(PAGE))
    assert history() == [("CAaa", f"Muted. {WHY}"), ("CAaa", f"Unmuted. {WHY}")]


def test_what_twilio_does_not_do_is_said_and_not_written_down(act, legs, twilio_double):
    hers, _ = legs
    twilio_double.people[hers.conference_id].remove("CAaa")
    assert "This phone is on no call any more." in text(act(f"mute {hers.pk}"))
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 3)
    assert '<li class="error">' in text(act(f"mute {hers.pk}"))
    assert history() == []


def test_one_phone_is_hung_up_on_and_the_other_goes_on(act, legs):
    _, theirs = legs
    assert "This phone is hung up on." in text(act(f"remove {theirs.pk}"))
    assert [(each.call.sid, each.why) for each in ours(HangUp).all()] == [("CAbb", HangUp.Why.TAKEN_OFF)]
    assert history() == [("CAbb", f"This phone is hung up on. {WHY}")]


@pytest.mark.parametrize("whose", [0, 1], ids=["theirs", "nobody's"])
def test_another_phone_of_the_same_person_goes_on(act, legs, whose):
    leg = legs[whose]
    beside = {"group_id": leg.group_id, "conference_id": leg.conference_id, "user_id": leg.user_id}
    Call.objects.create(sid="CAdd", is_on=True, start_time=leg.start_time, caller=leg.caller, **beside)
    act(f"remove {leg.pk}")
    assert [each.call.sid for each in ours(HangUp).all()] == [leg.sid]


def test_a_call_is_ended_for_everybody(act, legs, group):
    hers, _ = legs
    act(f"end {hers.pk}")
    assert {each.call.sid for each in ours(HangUp).all()} == {"CAaa", "CAbb"}
    assert not ours(Participant).filter(group=group).exists()
    assert history() == [("CAaa", f"The group's call is ended for everybody. {WHY}")]


@pytest.mark.parametrize("asked", ["x", "", "-1", "9" * 30, "999999"])
def test_a_phone_that_is_not_on_is_left_alone(act, legs, asked):
    assert "This phone is on no call any more." in text(act(f"remove {asked}"))
    assert not ours(HangUp).exists()


def test_nothing_else_can_be_asked_for(act, legs, browser):
    hers, _ = legs
    assert browser.get(f"{PAGE}act/").status_code == 403
    assert act(f"delete {hers.pk}").status_code == 404


@pytest.fixture
def looker(bob):
    """Staff who may look at calls, and change nothing."""
    bob.is_staff = True
    bob.save()
    bob.user_permissions.set(Permission.objects.filter(codename="view_call"))
    browser = Browser()
    browser.force_login(bob)
    return browser


def test_who_may_only_look_has_no_buttons_and_is_refused(act, legs, looker):
    hers, _ = legs
    shown = text(looker.get(PAGE))
    assert ("alice@example.com" in shown, "<button name" in shown) == (True, False)
    assert act(f"remove {hers.pk}", looker).status_code == 403
    assert looker.post(f"{PAGE}act/", {"act": f"remove {hers.pk}"}).status_code == 403  # and is asked for no reason
    assert not ours(HangUp).exists()


def test_who_may_not_look_at_calls_is_refused(legs, helper):
    assert {helper.get(f"{PAGE}{end}").status_code for end in ("", "rows/")} == {403}


def test_it_takes_as_many_queries_for_many_phones_as_for_few(browser, legs, group, django_assert_max_num_queries):
    talk = ours(Conference).get()
    for number in range(20):
        Call.objects.create(sid=f"CA{number}", group_id=group.pk, conference=talk, is_on=True)
    browser.get(PAGE)
    with django_assert_max_num_queries(9):
        browser.get(PAGE)
