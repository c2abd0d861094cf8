"""What the shipped React client sends, in its order, each request with a person's token."""

import pytest

from groups.models import Activity, Departure, Group, Invitation, Membership, Ownership, Participant
from tests.access.conftest import listed, says
from tests.access.rows import all_rows
from tests.access.shown import PROFILE
from tests.neighbours import ours
from tests.shapes import ACCOUNT
from users.models import User

pytestmark = pytest.mark.django_db


# Signing up


def test_signing_up_posts_the_whole_identity_token(issuer, api, db):
    token = issuer.token("eve@example.com", nickname="Eve", name="Eve Adams", picture="https://x.example/e.png")
    claims = issuer.claims(
        "eve@example.com", nickname="Eve", picture="https://x.example/e.png", updated_at="2019-05-01"
    )
    answers = [api.post("/api/users", claims, headers={"Authorization": f"Bearer {token}"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert [list(answer.json()) for answer in answers] == [ACCOUNT, ACCOUNT]
    assert (answers[0].json()["displayName"], answers[0].json()["avatar"]) == ("Eve", "https://x.example/e.png")
    assert answers[0].json()["stripeId"] is not None
    assert ours(User).count() == 1


def test_the_user_page_polls_what_is_around_oneself(invitee, carol, group):
    page = invitee.get(f"/api/users/{carol.pk}/detailed").json()
    assert [each["groupId"] for each in page["groupsInvitedTo"]] == [group.pk]
    assert [each["displayName"] for each in page["groupsInvitedTo"][0]["owners"]] == ["Alice"]
    assert invitee.get(f"/api/groups/{group.pk}/callStatus").json() == {"callStatus": False}


@pytest.mark.alone
def test_the_search_box_finds_people_as_profiles(stranger, alice, bob):
    found = {each["displayName"]: list(each) for each in stranger.get("/api/users").json()}
    assert found == {"Alice": PROFILE, "Bob": PROFILE, "Dave": ACCOUNT}
    assert [each["id"] for each in stranger.get("/api/users?search=BOB@example.com").json()] == [bob.pk]
    assert stranger.get("/api/users?search=@example.com").json() == []


# Making a group, inviting, accepting


def test_making_a_group(stranger, dave):
    group = stranger.post("/api/groups", {"name": "Friends"}).json()
    path = f"/api/groups/{group['id']}"
    for people in ("groupOwners", "groupMembers"):
        answer = stranger.post(f"{path}/{people}", {"userId": dave.pk})
        assert (answer.status_code, listed(answer)) == (200, ["Dave"])
    assert says(stranger, path, dave, "made the group") == (201, ["made the group"])
    assert (ours(Ownership).count(), ours(Membership).count()) == (1, 1)


def test_inviting(owner, path, alice, dave, stranger):
    assert stranger.get(path).status_code == 404
    assert listed(owner.post(f"{path}/groupInvitees", {"userId": dave.pk})) == ["Carol", "Dave"]
    assert says(owner, path, alice, "invited Dave") == (201, ["invited Dave"])
    assert stranger.get(path).status_code == 200


def test_accepting(invitee, path, carol, group):
    Activity.objects.create(group=group, user=carol, activity="earlier")
    joined = invitee.post(f"{path}/groupMembers", {"userId": carol.pk})
    assert (joined.status_code, listed(joined)) == (201, ["Alice", "Bob", "Carol"])
    assert listed(invitee.delete(f"{path}/groupInvitees/{carol.pk}")) == []
    assert says(invitee, path, carol, "joined") == (201, ["joined", "earlier"])
    assert not ours(Departure).exists()


def test_making_a_member_an_owner(owner, path, bob, member):
    assert listed(owner.post(f"{path}/groupOwners", {"userId": bob.pk})) == ["Alice", "Bob"]
    assert member.put(path, {"name": "Bob's too"}).json()["name"] == "Bob's too"


# Deleting a group during a call


@pytest.fixture
def on_a_call(group, alice, bob):
    for user in (alice, bob):
        Participant.objects.create(group=group, user=user)
    User.objects.filter(pk__in=(alice.pk, bob.pk)).update(call_status=True)
    ours(Group).update(call_status=True)


def test_deleting_a_group_during_a_call(owner, path, on_a_call, alice, bob):
    answer = owner.put(f"/api/users/{bob.pk}", {"callStatus": False})
    assert (answer.status_code, list(answer.json()), answer.json()["callStatus"]) == (200, PROFILE, True)
    bob.refresh_from_db()
    assert bob.call_status is True
    assert owner.delete(path).json() == {"count": "1 group deleted"}
    assert set(ours(User).values_list("call_status", flat=True)) == {False}


@pytest.mark.parametrize(
    "body",
    [
        {"callStatus": True},
        {"callStatus": 0},
        {"callStatus": "false"},
        {"callStatus": None},
        {"callStatus": False, "displayName": "Rob"},
        {"callStatus": False, "email": "alice@example.com"},
        {"displayName": "Rob"},
        {"email": "rob@example.com"},
        {},
        [],
        [{"callStatus": False}],
        "false",
    ],
    ids=str,
)
def test_no_other_change_of_somebody_else_is_answered_so(owner, on_a_call, bob, body):
    before = all_rows()
    assert owner.put(f"/api/users/{bob.pk}", body).status_code in (400, 403)
    assert all_rows() == before


# A call, as the chatroom shows it


def test_joining_and_leaving_a_call(member, path, bob):
    assert member.put(f"{path}/callStatus", {"callStatus": True}).json()["callStatus"] is True
    assert listed(member.post(f"{path}/callParticipants", {"userId": bob.pk})) == ["Bob"]
    assert member.put(f"/api/users/{bob.pk}", {"callStatus": True}).json()["callStatus"] is True
    assert listed(member.delete(f"{path}/callParticipants/{bob.pk}")) == []


def test_an_invitation_is_declined_by_nobody_else(member, path, carol):
    assert member.delete(f"{path}/groupInvitees/{carol.pk}").status_code == 403
    assert Invitation.objects.filter(user=carol).exists()
