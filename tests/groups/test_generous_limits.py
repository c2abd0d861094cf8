"""How much of a kind one person may have or send. No family comes near."""

import pytest

from groups import services
from groups.models import Device, Group, Invitation, Ownership
from groups.notifications import devices
from tests.conftest import person
from tests.neighbours import ours


@pytest.fixture
def owner(api, alice):
    api.force_authenticate(alice)
    return api


def test_who_owns_too_many_groups_makes_no_more(owner, alice, group, monkeypatch):
    monkeypatch.setattr(services, "MOST_OWNED", 2)
    assert [owner.post("/api/groups", {"name": "Friends"}).status_code for _ in range(2)] == [201, 409]
    assert owner.post("/api/groups", {"name": "Friends"}).json()["code"] == "too_many_groups"
    assert ours(Group).count() == 2


def test_who_owns_too_many_groups_is_given_no_more(owner, alice, bob, group, monkeypatch):
    monkeypatch.setattr(services, "MOST_OWNED", 1)
    Ownership.objects.create(group=Group.objects.create(name="Bob's"), user=bob)
    answer = owner.post(f"/api/groups/{group.pk}/groupOwners", {"userId": bob.pk})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_groups")


def test_so_many_invitations_are_open_until_somebody_answers_one(owner, alice, dave, group, monkeypatch):
    monkeypatch.setattr(services, "MOST_INVITATIONS", 1)
    invite = f"/api/groups/{group.pk}/groupInvitees"
    assert owner.post(invite, {"userId": dave.pk}).status_code == 201
    assert Invitation.objects.get(user=dave).invited_by == alice
    erin = person("Erin")
    answer = owner.post(invite, {"userId": erin.pk})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_invitations")
    owner.force_authenticate(dave)
    owner.post(f"/api/groups/{group.pk}/groupMembers", {"userId": dave.pk})
    owner.force_authenticate(alice)
    assert owner.post(invite, {"userId": erin.pk}).status_code == 201


def test_so_many_invitations_are_sent_a_day_answered_or_not(owner, alice, dave, group, settings):
    settings.THROTTLE_INVITATIONS = (1, 86_400)
    invite = f"/api/groups/{group.pk}/groupInvitees"
    assert owner.post(invite, {"userId": dave.pk}).status_code == 201
    assert owner.post(invite, {"userId": dave.pk}).status_code == 200
    owner.delete(f"{invite}/{dave.pk}")
    answer = owner.post(invite, {"userId": dave.pk})
    assert (answer.status_code, 86_000 < int(answer["Retry-After"]) <= 86_400) == (429, True)


def test_the_device_that_nobody_registered_for_longest_makes_room(owner, alice, monkeypatch):
    monkeypatch.setattr(devices, "MOST_DEVICES", 2)
    for address in ("first", "second", "first", "third"):
        assert owner.post("/api/voice/registerBinding", {"Address": address}).status_code == 201
    assert set(Device.objects.filter(user=alice).values_list("address", flat=True)) == {"first", "third"}


def test_activities_are_counted_for_each_person(api, alice, bob, group, settings):
    settings.THROTTLE_ACTIVITIES = (1, 3600)
    path, answers = f"/api/groups/{group.pk}/activities", []
    for user in (alice, bob, alice):
        api.force_authenticate(user)
        answers.append(api.post(path, {"userId": user.pk, "activity": "Hello"}).status_code)
    assert answers == [201, 201, 429]
