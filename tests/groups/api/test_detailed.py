from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from groups.models import Activity, Group, Invitation, Membership, Ownership, Participant
from tests.conftest import person
from tests.shapes import CONTACT

REST = ["groupCreatedAt", "groupId", "groupName", "phoneNumber", "callStatus"]
LISTS = ["activities", "callParticipants", "owners", "members", "invitees"]


@pytest.fixture
def detailed(api):
    return lambda user: api.get(f"/api/users/{user.pk}/detailed").json()


def test_an_owner_sees_the_group_among_the_owned_and_the_belonged(detailed, group, alice):
    shown = detailed(alice)
    assert list(shown)[-3:] == ["groupsOwned", "groupsBelongedTo", "groupsInvitedTo"]
    assert list(shown["groupsOwned"][0]) == ["ownershipCreatedAt", *REST, *LISTS]
    assert list(shown["groupsBelongedTo"][0]) == ["membershipCreatedAt", *REST, *LISTS]
    assert shown["groupsInvitedTo"] == []


def test_an_invitee_sees_who_owns_the_group(detailed, group, carol):
    invited = detailed(carol)["groupsInvitedTo"][0]
    assert next(iter(invited)) == "inviteCreatedAt"
    assert [owner["displayName"] for owner in invited["owners"]] == ["Alice"]


def test_each_entry_is_its_own_stamp_and_a_contact(detailed, group, alice):
    Participant.objects.create(group=group, user=alice)
    shown = detailed(alice)["groupsOwned"][0]
    stamps = {
        "callParticipants": "participantCreatedAt",
        "owners": "ownerCreatedAt",
        "members": "memberCreatedAt",
        "invitees": "inviteeCreatedAt",
    }
    for name, stamp in stamps.items():
        assert list(shown[name][0]) == [stamp, *CONTACT]


@pytest.mark.parametrize("name", ["owners", "members", "invitees"])
def test_each_entry_is_as_the_groups_own_list_shows_it(detailed, api, group, alice, name):
    shown = detailed(alice)["groupsOwned"][0][name]
    assert shown == api.get(f"/api/groups/{group.pk}/group{name.title()}/detailed").json() != []


def test_an_activity_carries_the_persons_id_and_its_own_time(detailed, group, alice, bob):
    activity = Activity.objects.create(group=group, user=bob, activity="Said hello")
    entry = detailed(alice)["groupsOwned"][0]["activities"][0]
    assert list(entry) == ["activityId", "activityCreatedAt", "activity", *CONTACT]
    assert (entry["id"], entry["activityId"]) == (bob.pk, activity.pk)
    assert entry["createdAt"] == entry["activityCreatedAt"]


def test_only_the_newest_fifty_activities_of_each_group_are_given(detailed, group, alice):
    Activity.objects.bulk_create(Activity(group=group, user=alice, activity=str(number)) for number in range(60))
    shown = detailed(alice)["groupsOwned"][0]["activities"]
    assert [entry["activity"] for entry in shown] == [str(number) for number in range(59, 9, -1)]


def test_they_are_the_newest_by_their_time_and_not_by_their_ids(detailed, group, alice):
    """As those that were taken over, or written by hand."""
    noon = timezone.now()
    Activity.objects.bulk_create(
        Activity(group=group, user=alice, activity=str(number), created_at=noon - timedelta(minutes=number))
        for number in range(51)
    )
    shown = detailed(alice)["groupsOwned"][0]["activities"]
    assert [entry["activity"] for entry in shown] == [str(number) for number in range(50)]


def test_someone_without_groups_has_three_empty_lists(detailed, dave):
    assert [detailed(dave)[name] for name in ("groupsOwned", "groupsBelongedTo", "groupsInvitedTo")] == [[], [], []]


def test_nobody_is_404(api, db):
    assert api.get("/api/users/999/detailed").status_code == 404


def test_the_number_of_queries_does_not_grow(api, alice):
    def fill(groups: int, people: int) -> int:
        for _ in range(groups):
            group = Group.objects.create(name="G")
            crowd = [person(f"P{group.pk}x{number}") for number in range(people)]
            for model in (Ownership, Membership, Invitation):
                model.objects.create(group=group, user=alice)
                model.objects.bulk_create(model(group=group, user=each) for each in crowd)
            Activity.objects.bulk_create(Activity(group=group, user=crowd[0], activity="x") for _ in range(30))
        with CaptureQueriesContext(connection) as queries:
            api.get(f"/api/users/{alice.pk}/detailed")
        assert all("WHERE" in each["sql"] for each in queries), "a whole table is read"
        return len(queries)

    assert fill(1, 1) == fill(9, 5) <= 10


@pytest.mark.parametrize(
    ("path", "who"), [("groupsOwned", "alice"), ("groupsBelongedTo", "bob"), ("groupsInvitedTo", "carol")]
)
def test_a_persons_groups_are_refs(api, group, request, path, who, django_assert_num_queries):
    user = request.getfixturevalue(who)
    with django_assert_num_queries(1):
        answer = api.get(f"/api/users/{user.pk}/{path}")
    assert answer.json() == [{"groupId": group.pk, "GroupName": "Family"}]


@pytest.mark.parametrize("path", ["groupsOwned", "groupsBelongedTo", "groupsInvitedTo"])
def test_no_refs_is_not_nobody(api, dave, path):
    assert api.get(f"/api/users/{dave.pk}/{path}").json() == []
    assert api.get(f"/api/users/999/{path}").status_code == 404
