"""A part in one group is none in another."""

import pytest

from groups.models import Group, Membership, Ownership
from tests.conftest import person

ASKED = [
    ("get", "", None),
    ("put", "", {"name": "New"}),
    ("delete", "", None),
    ("put", "/callStatus", {"callStatus": True}),
    ("get", "/groupMembers", None),
    ("get", "/groupMembers/detailed", None),
    ("post", "/groupInvitees", {"userId": 1}),
    ("delete", "/callParticipants", None),
    ("get", "/activities", None),
    ("post", "/activities", {"userId": 1, "activity": "Hello"}),
]


@pytest.fixture
def neighbours(db):
    """Zoe's groups: one that was there before the callers' own, and one that came after it."""
    zoe = person("Zoe")

    def make():
        group = Group.objects.create(name="Neighbours")
        for people in (Ownership, Membership):
            people.objects.create(group=group, user=zoe)
        return group

    return make


@pytest.fixture
def before(neighbours):
    return neighbours()


@pytest.mark.parametrize("who", ["owner", "member", "invitee"])
def test_whoever_is_in_a_group_does_not_find_those_of_others(before, group, neighbours, who, request):
    client = request.getfixturevalue(who)
    assert [each["id"] for each in client.get("/api/groups").json()] == [group.pk]
    for other in (before, neighbours()):
        statuses = [
            getattr(client, method)(f"/api/groups/{other.pk}{path}", *filter(None, [body])).status_code
            for method, path, body in ASKED
        ]
        assert statuses == [404] * len(ASKED)
        assert other.memberships.count() == other.ownerships.count() == 1
    assert client.get(f"/api/groups/{group.pk}").status_code == 200
