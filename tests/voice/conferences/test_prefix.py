"""Two servers on one Twilio account: what another one's conference does is nothing of ours."""

import pytest

from groups.models import SandboxNotification
from tests.neighbours import ours
from tests.voice.conftest import EVENTS
from voice.models import Call, Conference


@pytest.fixture(autouse=True)
def _prefix(settings):
    settings.CONFERENCE_PREFIX = "blue-"


def test_the_conference_has_the_prefix(twilio, group):
    answer = twilio("/api/voice/makeCall", to=group.pk, From="client:x", CallSid="CA1")
    assert f">blue-{group.pk}</Conference>" in answer.content.decode()


def test_its_events_are_ours(tell, leg, shown, alice, group):
    tell(1, "participant-join", leg(alice, "CA1"), FriendlyName=f"blue-{group.pk}")
    assert shown() == (["Alice"], True)
    assert ours(Conference).get().group_id == group.pk


@pytest.mark.parametrize("name", ["{}", "green-{}", "blue-", "blue-x{}", "blue-0{}", "x-blue-{}", "blue-blue-{}", ""])
def test_another_conferences_events_change_nothing(tell, shown, group, name):
    tell(1, "participant-join", "CA9", FriendlyName=name.format(group.pk))
    assert shown() == ([], False)
    assert not ours(Conference).exists()
    assert not ours(Call).exists()


def test_a_conference_from_before_the_prefix_is_still_ours(tell, leg, shown, settings, alice, group):
    settings.CONFERENCE_PREFIX = ""
    tell(1, "participant-join", leg(alice, "CA1"))
    settings.CONFERENCE_PREFIX = "blue-"
    tell(2, "participant-leave", "CA1", FriendlyName=group.pk)
    assert shown() == ([], False)


@pytest.mark.parametrize("name", ["7", "family", f"{2**63}", "9" * 30, "07", " 7", "٧"])
def test_without_a_prefix_only_a_groups_id_is_a_name(twilio, db, settings, name):
    settings.CONFERENCE_PREFIX = ""
    twilio(EVENTS, ConferenceSid="CF1", FriendlyName=name, SequenceNumber=1, StatusCallbackEvent="participant-join")
    assert ours(Conference).exists() == (name == "7")


@pytest.mark.parametrize("name", ["blue-{}", "{}"])
def test_a_notification_names_the_group_by_its_conference(api, group, bob, name):
    api.post("/api/voice/registerBinding", {"identity": f"u_{bob.pk}", "address": "a"})
    answer = api.post("/api/voice/sendNotification", {"FriendlyName": name.format(group.pk)})
    assert (answer.status_code, answer.json()["groupId"]) == (200, group.pk)
    assert SandboxNotification.objects.get().group_id == group.pk


def test_a_notification_by_another_servers_name_is_refused(api, group):
    assert api.post("/api/voice/sendNotification", {"FriendlyName": f"green-{group.pk}"}).status_code == 400
