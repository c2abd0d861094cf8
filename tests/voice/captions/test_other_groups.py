"""Captions of one group beside those of another, whose call goes on."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.utils import timezone

from core.jobs.models import Job
from core.jobs.worker import do_all
from groups.models import Caption, Group, Membership, Ownership
from tests.conftest import person
from tests.neighbours import ours
from tests.voice.captions.conftest import NOON
from users.models import User
from voice.models import Call, GroupCall, Transcription


@pytest.fixture
def zoe(db):
    return person("Zoe")


@pytest.fixture
def neighbours(zoe):
    group = Group.objects.create(name="Neighbours")
    Ownership.objects.create(group=group, user=zoe)
    return group


@pytest.fixture
def elsewhere(neighbours, zoe, api, twilio_telephony, twilio_double, twilio, tell):
    """Zoe is on her own group's call, whose captions are on, and has typed something that waits there."""
    room = twilio_double.start_conference(str(neighbours.pk))["sid"]
    sid = twilio_double.call(status="in-progress")
    twilio("/api/voice/makeCall", to=neighbours.pk, From=f"client:u_{zoe.pk}", CallSid=sid)
    tell(1, "participant-join", sid, conference=room, FriendlyName=neighbours.pk)
    api.put(f"/api/groups/{neighbours.pk}/captions", {"on": True})
    api.post(f"/api/groups/{neighbours.pk}/spokenMessages", {"text": "Hello, neighbours"})
    do_all()
    return room


@pytest.fixture
def here(elsewhere, line, twilio_double, group, alice, bob, tell):
    """Alice and Bob are on theirs."""
    room = twilio_double.start_conference(str(group.pk))["sid"]
    for number, user in enumerate((alice, bob), 1):
        tell(number, "participant-join", line.call(user), conference=room)
    return room


def spoken_into(twilio_double, room):
    return [url for conference, url in twilio_double.announced if conference == room]


def test_a_list_is_of_one_group(api, path, group, neighbours):
    for each, text in ((group, "ours"), (neighbours, "theirs")):
        Caption.objects.create(group=each, display_name="Somebody", text=text)
    assert [each["text"] for each in api.get(f"{path}/captions").json()] == ["ours"]
    assert [each["text"] for each in api.get(f"/api/groups/{neighbours.pk}/captions").json()] == ["theirs"]


def test_of_what_is_turned_on_and_off_and_typed_only_the_group_hears(
    elsewhere, here, turn, twilio_double, api, path, zoe
):
    theirs = spoken_into(twilio_double, elsewhere)
    turn(on=True)
    turn(on=False)
    api.post(f"{path}/spokenMessages", {"text": "Hello, family"})
    do_all()
    assert spoken_into(twilio_double, elsewhere) == theirs
    assert [each.call.user_id for each in Transcription.objects.going_on()] == [zoe.pk]
    assert len(spoken_into(twilio_double, here)) == 3


@pytest.mark.alone
def test_with_one_call_the_captions_of_another_do_not_end(here, neighbours, turn, tell, twilio_double):
    turn(on=True)
    tell(9, "conference-end", conference=here)
    do_all()
    assert list(GroupCall.objects.filter(captions=True).values_list("group", flat=True)) == [neighbours.pk]
    assert ours(Caption).get().spoken == "waiting"
    assert [each["status"] for each in twilio_double.transcriptions.values()][:1] == ["in-progress"]


def test_where_another_groups_captions_alone_are_on_ours_end_though_a_job_was_lost(
    elsewhere, here, turn, twilio_double, reconcile
):
    turn(on=True)
    turn(on=False, jobs=False)
    Job.objects.all().delete()
    reconcile(), do_all()
    states = [each["status"] for each in twilio_double.transcriptions.values()]
    assert sorted(states) == ["in-progress", "stopped", "stopped"]


def test_where_only_others_talk_nobody_would_hear_it(elsewhere, api, path, group):
    answer = api.post(f"{path}/spokenMessages", {"text": "Hello"})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_call")


def test_the_names_that_may_be_said_are_those_of_the_groups_members_and_owners(here, group, alice, turn, twilio_double):
    Membership.objects.filter(user=alice).delete()  # she owns it
    alice.display_name = "Alice, the First"
    alice.save()
    for number, name in enumerate(("Bob", "\u200b")):
        Membership.objects.create(
            group=group, user=User.objects.create(email=f"{number}@example.com", display_name=name)
        )
    turn(on=True)
    asked = [each["asked"]["Hints"] for each in twilio_double.transcriptions.values()]
    assert asked[1:] == ["Alice  the First,Bob"] * 2


@pytest.fixture
def call_in(twilio, tell):
    """An unknown caller is on a group's call."""

    def call_in(sid, group, number, conference):
        twilio("/api/voice/makeCall", to=group.pk, CallSid=sid, From="+12025550150", To="+15005550006")
        tell(number, "participant-join", sid, conference=conference, FriendlyName=group.pk)
        ours(Call).update(created_at=NOON - timedelta(minutes=1))

    return call_in


def test_unknown_callers_are_counted_in_their_own_call(
    sandbox_telephony, neighbours, group, call_in, hear, turn, api, captions, tell, twilio
):
    """One who has left it was the first all the same; the next call begins anew."""
    call_in("CA1", neighbours, 1, "CF1")
    call_in("CA2", group, 1, "CF2")
    call_in("CA3", group, 2, "CF2")
    turn(on=True)
    api.put(f"/api/groups/{neighbours.pk}/captions", {"on": True})
    hear("next door", 1, call="CA1")
    hear("first", 1, call="CA2")
    twilio("/api/voice/callEvents", CallSid="CA2", CallStatus="completed", CallDuration="61")
    hear("second", 2, call="CA3")
    twilio("/api/voice/callEvents", CallSid="CA3", CallStatus="completed", CallDuration="61")
    tell(5, "conference-end", conference="CF2")
    call_in("CA4", group, 1, "CF4")
    turn(on=True)
    hear("next call", 3, call="CA4")
    assert [(each["text"], each["displayName"]) for each in captions()] == [
        ("first", "Caller 1"),
        ("second", "Caller 2"),
        ("next call", "Caller 1"),
    ]


def test_twilio_is_told_the_words_of_what_was_typed_alone(sandbox_telephony, group, twilio):
    """Whoever has the address of an announcement learns nothing by it of what was said."""
    said = Caption.objects.create(group=group, display_name="Alice", text="between us")
    not_spoken = {"typed": True, "spoken": "notSpoken", "why": "too late"}
    late = Caption.objects.create(group=group, display_name="Alice", text="Hello", **not_spoken)
    empty = Caption.objects.create(group=group, display_name="", text="", typed=True, spoken="spoken")
    for each in (said, late, empty):
        answer = twilio(f"/api/voice/announcement?message={each.pk}", CallSid="")
        assert [each.tag for each in ElementTree.fromstring(answer.content)] == []  # our own


def test_what_another_address_says_was_spoken_is_still_waited_for(here, elsewhere, tell, neighbours):
    waiting = ours(Caption).get()
    for url in (f"https://elsewhere.example/api/voice/announcement?message={waiting.pk}", f"message={waiting.pk}"):
        tell(7, "announcement-end", conference=here, AnnounceUrl=url)
    assert ours(Caption).get().spoken == "waiting"
    address = f"{settings.PUBLIC_URL}/api/voice/announcement?message={waiting.pk}"
    tell(8, "announcement-end", conference=elsewhere, AnnounceUrl=address)
    assert ours(Caption).get().spoken == "spoken"


def test_what_is_kept_stays_and_what_waits_to_be_spoken_too(elsewhere, reconcile, neighbours):
    before = timezone.now() - timedelta(minutes=2)
    kept = Caption.objects.create(group=neighbours, display_name="Zoe", text="kept", stored_at=before)
    Caption.objects.filter(typed=True).update(is_kept=False, stored_at=before)
    Caption.objects.create(group=neighbours, display_name="Zoe", text="new", is_kept=False)
    reconcile()
    assert set(ours(Caption).values_list("text", flat=True)) == {"Hello, neighbours", kept.text, "new"}
