"""Declining and leaving: the clients delete first, and then post one last activity as somebody who is gone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from groups.models import Activity, Departure, Group, Membership
from tests.access.conftest import listed, says
from tests.access.rows import all_rows
from tests.conftest import person
from tests.neighbours import ours

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["declining", "leaving"])
def departing(request, path, carol, bob, signed_in):
    """Somebody who goes, and the deletion by which they do."""
    user, people = {"declining": (carol, "groupInvitees"), "leaving": (bob, "groupMembers")}[request.param]
    client = signed_in(user)
    return client, user, lambda: client.delete(f"{path}/{people}/{user.pk}")


def test_who_goes_may_say_so_once(departing, path, alice, group):
    client, user, go = departing
    Activity.objects.create(group=group, user=alice, activity="not for strangers")
    assert go().status_code == 200
    assert says(client, path, user) == (201, ["left the group"])
    assert says(client, path, user, "and another thing") == (404, None)
    assert [each.activity for each in Activity.objects.filter(user=user)] == ["left the group"]


def test_the_last_words_are_in_the_shape_of_the_list(departing, path):
    client, user, go = departing
    go()
    answer = client.post(f"{path}/activities", {"userId": user.pk, "activity": "left"}).json()
    assert [list(each) for each in answer] == [["id", "activity", "createdAt", "userId", "displayName", "avatar"]]
    assert answer[0]["userId"] == user.pk


def test_who_goes_sees_nothing_more(departing, path):
    client, _, go = departing
    go()
    for end in ("", "/activities", "/callStatus", "/groupMembers", "/groupMembers/detailed"):
        assert client.get(f"{path}{end}").status_code == 404
    assert client.get("/api/groups").json() == []


def test_nor_does_who_is_in_another_group(departing, path, alice, group):
    client, user, go = departing
    Membership.objects.create(group=Group.objects.create(name="Choir"), user=user)
    Activity.objects.create(group=group, user=alice, activity="not for strangers")
    go()
    assert says(client, path, user) == (201, ["left the group"])


@pytest.mark.parametrize(("minutes", "expected"), [(9, (201, ["left the group"])), (11, (404, None))])
def test_it_must_be_said_within_ten_minutes(departing, path, minutes, expected):
    client, user, go = departing
    go()
    ours(Departure).update(left_at=timezone.now() - timedelta(minutes=minutes))
    assert says(client, path, user) == expected


def test_it_is_said_of_oneself_only(departing, path, alice):
    client, user, go = departing
    go()
    before = all_rows()
    assert says(client, path, alice)[0] in (403, 404)
    assert all_rows() == before
    assert says(client, path, user)[0] == 201


def test_a_word_that_is_refused_is_not_the_last(departing, path):
    client, user, go = departing
    go()
    for activity in ("", " ", "x" * 129, None):
        assert says(client, path, user, activity) == (400, None)
    assert says(client, path, user)[0] == 201


def answered(answer):
    return answer.status_code, answer.json() if answer.status_code == 200 else None


def test_who_goes_again_for_the_answer_was_lost_is_answered_an_empty_list(departing, path):
    client, user, go = departing
    go()
    before = all_rows()
    assert [answered(go()) for _ in range(2)] == [(200, [])] * 2
    for people in ("groupMembers", "groupOwners", "groupInvitees", "callParticipants"):
        assert answered(client.delete(f"{path}/{people}/{user.pk}")) == (200, [])
    assert all_rows() == before
    assert says(client, path, user) == (201, ["left the group"])
    assert answered(go()) == (200, [])


def test_going_twice_gives_no_second_word(departing, path):
    client, user, go = departing
    go()
    says(client, path, user)
    go()
    assert says(client, path, user) == (404, None)


@pytest.mark.parametrize(("minutes", "expected"), [(9, (200, [])), (11, (404, None))])
def test_going_again_is_known_for_ten_minutes(departing, path, minutes, expected):
    _, _, go = departing
    go()
    ours(Departure).update(left_at=timezone.now() - timedelta(minutes=minutes))
    assert answered(go()) == expected


@pytest.mark.parametrize("people", ["groupMembers", "groupOwners", "groupInvitees", "callParticipants"])
def test_who_has_left_takes_nobody_else_off(departing, path, alice, people):
    client, _, go = departing
    go()
    before = all_rows()
    assert client.delete(f"{path}/{people}/{alice.pk}").status_code == 404
    assert client.delete(f"{path}/{people}/999999").status_code == 404
    assert client.delete(f"{path}/callParticipants").status_code == 404
    assert all_rows() == before


def test_who_is_removed_does_not_leave_again(member, owner, path, bob):
    owner.delete(f"{path}/groupMembers/{bob.pk}")
    assert member.delete(f"{path}/groupMembers/{bob.pk}").status_code == 404


def test_who_left_and_is_invited_again_may_be_uninvited_by_the_owner_for_good(departing, owner, path):
    _, user, go = departing
    go()
    owner.post(f"{path}/groupInvitees", {"userId": user.pk})
    owner.delete(f"{path}/groupInvitees/{user.pk}")
    assert go().status_code == 404


def test_an_owner_who_has_gone_for_good_goes_again(owner, path, alice, bob):
    owner.post(f"{path}/groupOwners", {"userId": bob.pk})
    owner.delete(f"{path}/groupMembers/{alice.pk}")
    assert listed(owner.delete(f"{path}/groupOwners/{alice.pk}")) == ["Bob"]
    assert answered(owner.delete(f"{path}/groupOwners/{alice.pk}")) == (200, [])


@pytest.mark.parametrize("whose", ["another group's", "another person's"])
def test_a_departure_is_known_of_one_person_and_one_group_only(departing, path, dave, signed_in, whose):
    client, user, go = departing
    if whose == "another group's":
        path = f"/api/groups/{Group.objects.create(name='Neighbours').pk}"
    else:
        client, user = signed_in(dave), dave
    go()
    assert says(client, path, user) == (404, None)
    assert client.delete(f"{path}/groupMembers/{user.pk}").status_code == 404


@pytest.mark.parametrize("does", ["says so", "comes back"])
def test_what_becomes_of_one_departure_is_nothing_to_the_others(member, invitee, owner, path, bob, carol, does):
    """Those of others from there, and one's own from another group, of which one was a member meanwhile."""
    other = Group.objects.create(name="Neighbours")
    other.memberships.create(user=bob)
    for client, end in (
        (invitee, f"{path}/groupInvitees/{carol.pk}"),
        (member, f"{path}/groupMembers/{bob.pk}"),
        (member, f"/api/groups/{other.pk}/groupMembers/{bob.pk}"),
    ):
        assert client.delete(end).status_code == 200
    if does == "says so":
        assert says(member, path, bob)[0] == 201
    else:
        assert owner.post(f"{path}/groupInvitees", {"userId": bob.pk}).status_code == 201
    assert says(invitee, path, carol) == (201, ["left the group"])
    assert says(member, f"/api/groups/{other.pk}", bob) == (201, ["left the group"])


@pytest.fixture
def staff(signed_in):
    return signed_in(person("Root", is_staff=True))


@pytest.mark.parametrize("by", ["owner", "staff"])
@pytest.mark.parametrize(("people", "who"), [("groupMembers", "bob"), ("groupInvitees", "carol")])
def test_who_is_removed_has_no_last_word(signed_in, path, people, who, by, request):
    user, remover = request.getfixturevalue(who), request.getfixturevalue(by)
    assert remover.delete(f"{path}/{people}/{user.pk}").status_code == 200
    assert says(signed_in(user), path, user) == (404, None)


def test_who_comes_back_and_is_removed_has_no_last_word(departing, owner, path):
    client, user, go = departing
    go()
    assert owner.post(f"{path}/groupInvitees", {"userId": user.pk}).status_code == 201
    assert client.post(f"{path}/groupMembers", {"userId": user.pk}).status_code == 201
    assert owner.delete(f"{path}/groupMembers/{user.pk}").status_code == 200
    assert says(client, path, user) == (404, None)


def test_who_is_invited_again_and_uninvited_has_no_last_word(departing, owner, path):
    client, user, go = departing
    go()
    owner.post(f"{path}/groupInvitees", {"userId": user.pk})
    owner.delete(f"{path}/groupInvitees/{user.pk}")
    assert says(client, path, user) == (404, None)


@pytest.mark.parametrize("people", ["groupInvitees", "callParticipants"])
def test_who_was_not_on_a_list_does_not_leave_by_it(member, owner, path, bob, people):
    assert member.delete(f"{path}/{people}/{bob.pk}").status_code == 200
    owner.delete(f"{path}/groupMembers/{bob.pk}")
    assert says(member, path, bob) == (404, None)


def test_hanging_up_is_not_leaving(member, owner, path, bob):
    assert listed(member.post(f"{path}/callParticipants", {"userId": bob.pk})) == ["Bob"]
    assert member.delete(f"{path}/callParticipants/{bob.pk}").json() == []
    owner.delete(f"{path}/groupMembers/{bob.pk}")
    assert says(member, path, bob) == (404, None)


def test_a_deleted_group_hears_no_last_word(departing, owner, path):
    client, user, go = departing
    go()
    assert owner.delete(path).status_code == 200
    assert says(client, path, user) == (404, None)


# An owner leaves


def test_the_last_owner_stays(owner, path, alice):
    answer = owner.delete(f"{path}/groupOwners/{alice.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    assert listed(owner.get(f"{path}/groupOwners")) == ["Alice"]


def test_an_owner_who_has_made_another_one_leaves(owner, path, alice, bob):
    owner.post(f"{path}/groupOwners", {"userId": bob.pk})
    assert listed(owner.delete(f"{path}/groupOwners/{alice.pk}")) == ["Bob"]
    assert owner.delete(f"{path}/groupMembers/{alice.pk}").status_code == 200
    assert says(owner, path, alice) == (201, ["left the group"])
    assert says(owner, path, alice) == (404, None)


def test_an_owner_who_is_no_member_any_more_is_still_in_the_group(owner, path, alice):
    owner.delete(f"{path}/groupMembers/{alice.pk}")
    assert [says(owner, path, alice, word)[0] for word in ("one", "two")] == [201, 201]


def test_an_owner_who_is_no_member_any_more_is_put_on_the_owners_again_without_a_fault(owner, path, alice):
    owner.delete(f"{path}/groupMembers/{alice.pk}")
    answer = owner.post(f"{path}/groupOwners", {"userId": alice.pk})
    assert (answer.status_code, listed(answer)) == (200, ["Alice"])


def test_only_a_member_becomes_an_owner(owner, path, carol):
    answer = owner.post(f"{path}/groupOwners", {"userId": carol.pk})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_a_member")
    assert listed(owner.get(f"{path}/groupOwners")) == ["Alice"]
