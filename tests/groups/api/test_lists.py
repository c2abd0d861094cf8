"""The four lists of people around a group, which behave alike."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from rest_framework.test import APIClient

from groups.models import Group, Invitation, Membership, Ownership, Participant
from tests.conftest import person
from tests.neighbours import ours
from tests.shapes import CONTACT

LISTS = ["callParticipants", "groupOwners", "groupMembers", "groupInvitees"]
every_list = pytest.mark.parametrize("name", LISTS)


@pytest.fixture
def elsewhere(alice, bob, carol, dave):
    """Another group, in which all of them are on every list."""
    other = Group.objects.create(name="Neighbours")
    for people in (Ownership, Membership, Invitation, Participant):
        people.objects.bulk_create(people(group=other, user=user) for user in (alice, bob, carol, dave))
    return lambda: {name: APIClient().get(f"/api/groups/{other.pk}/{name}").json() for name in LISTS}


@every_list
def test_a_person_is_put_on_it_once(api, group, dave, name, elsewhere):
    path = f"/api/groups/{group.pk}/{name}"
    before = api.get(path).json()
    first = api.post(path, {"userId": dave.pk})
    again = api.post(path, {"userId": str(dave.pk)})
    assert (first.status_code, again.status_code) == (201, 200)
    link = {"groupId": group.pk, "userId": dave.pk, "displayName": "Dave"}
    assert first.json() == again.json() == [*before, link]


@every_list
def test_a_person_is_taken_off_it_and_off_no_other_groups(api, group, dave, name, elsewhere):
    path = f"/api/groups/{group.pk}/{name}"
    before, there = api.get(path).json(), elsewhere()
    api.post(path, {"userId": dave.pk})
    assert api.delete(f"{path}/{dave.pk}").json() == before
    assert api.delete(f"{path}/{dave.pk}").status_code == 200
    assert api.delete(f"{path}/99999").json() == before
    assert elsewhere() == there


@every_list
def test_no_such_group_is_404(api, alice, name):
    path = f"/api/groups/999/{name}"
    answers = [
        api.get(path),
        api.get(f"{path}?limit=5"),
        api.post(path, {"userId": alice.pk}),
        api.delete(f"{path}/{alice.pk}"),
    ]
    assert {answer.status_code for answer in answers} == {404}


@every_list
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"userId": 999}, 404),
        ({"userId": 2**63 - 1}, 404),
        ({}, 400),
        ({"userId": None}, 400),
        ({"userId": "abc"}, 400),
        ({"userId": "-1"}, 400),
        ({"userId": 1.5}, 400),
        ({"userId": True}, 400),
        ({"userId": 2**63}, 400),
        ({"userId": "٣"}, 400),
        ({"userId": [1]}, 400),
        ([], 400),
    ],
)
def test_a_bad_person_is_refused(api, group, name, sent, status):
    assert api.post(f"/api/groups/{group.pk}/{name}", sent).status_code == status


@every_list
def test_it_is_read_in_one_query(api, group, name, django_assert_num_queries):
    with django_assert_num_queries(1):
        api.get(f"/api/groups/{group.pk}/{name}")


@every_list
def test_it_is_paged_by_its_own_order(api, group, dave, name):
    path = f"/api/groups/{group.pk}/{name}"
    api.post(path, {"userId": dave.pk})
    whole, collected, link = api.get(path).json(), [], f"{path}?limit=1"
    while link:
        page = api.get(link.removeprefix("http://testserver"))
        assert page.json()
        collected += page.json()
        link = page.headers.get("Link", "").partition(">")[0].lstrip("<")
    assert collected == whole


@every_list
def test_what_a_write_answers_with_begins_at_its_beginning(api, group, dave, name):
    path = f"/api/groups/{group.pk}/{name}"
    whole = api.post(path, {"userId": dave.pk})
    again = api.post(f"{path}?limit=1&after=99999", {"userId": dave.pk})
    assert again.json() == whole.json() != []
    assert "Link" not in again


@pytest.fixture
def ends_after_two(monkeypatch):
    """Lists end after two entries, as they do after a thousand."""
    monkeypatch.setattr("voicechat.pagination.MOST_LISTED", 2)
    monkeypatch.setattr("groups.api.list_views.MOST_LISTED", 2)


def rest_of(api, answer):
    return api.get(answer["Link"].partition(">")[0].lstrip("<").removeprefix("http://testserver"))


@every_list
def test_a_long_one_ends_and_links_to_its_rest(api, group, name, ends_after_two):
    path = f"/api/groups/{group.pk}/{name}"
    *_, last = [api.post(path, {"userId": person(each).pk}) for each in ("Eve", "Fay", "Gus")]
    whole = api.get(f"{path}?limit=100").json()
    for answer in (last, api.get(path)):
        assert answer.json() == whole[:2]
        assert rest_of(api, answer).json() == whole[2:4]


@pytest.mark.parametrize(
    ("name", "stamp"),
    [("groupOwners", "ownerCreatedAt"), ("groupMembers", "memberCreatedAt"), ("groupInvitees", "inviteeCreatedAt")],
)
def test_detailed_shows_contacts_and_never_money(api, group, name, stamp, django_assert_num_queries):
    with django_assert_num_queries(1):
        people = api.get(f"/api/groups/{group.pk}/{name}/detailed").json()
    assert people
    assert all(list(each) == [stamp, *CONTACT] for each in people)


@pytest.mark.parametrize("path", ["callParticipants/detailed", "groupOwners/x", "groupMembers/-1", "nope"])
def test_paths_that_do_not_exist_are_404(api, group, path):
    assert api.delete(f"/api/groups/{group.pk}/{path}").status_code == 404


def test_who_is_in_the_group_is_not_invited_again(api, group, alice, bob):
    path = f"/api/groups/{group.pk}/groupInvitees"
    before = api.get(path).json()
    for member in (alice, bob):
        again = api.post(path, {"userId": member.pk})
        assert (again.status_code, again.json()) == (200, before)


def test_who_joins_is_no_longer_invited_there_and_whoever_else_is_still_is(api, group, carol, dave, elsewhere):
    invitees, there = f"/api/groups/{group.pk}/groupInvitees", elsewhere()
    api.post(invitees, {"userId": dave.pk})
    api.post(f"/api/groups/{group.pk}/groupMembers", {"userId": carol.pk})
    assert [each["userId"] for each in api.get(invitees).json()] == [dave.pk]
    assert [each["userId"] for each in api.delete(f"{invitees}/{carol.pk}").json()] == [dave.pk]
    assert elsewhere() == there


def test_a_member_who_was_invited_once_more_is_no_longer_invited_either(api, group, bob):
    path = f"/api/groups/{group.pk}"
    api.post(f"{path}/groupInvitees", {"userId": bob.pk})
    assert api.post(f"{path}/groupMembers", {"userId": bob.pk}).status_code == 200
    assert bob.pk not in [each["userId"] for each in api.get(f"{path}/groupInvitees").json()]


def test_all_participants_are_taken_off_at_once(api, group, alice, bob, elsewhere):
    path, there = f"/api/groups/{group.pk}/callParticipants", elsewhere()
    for user in (alice, bob):
        api.post(path, {"userId": user.pk})
    assert api.delete(path).json() == {"count": "2 user(s) removed from participants"}
    assert api.delete(path).json() == {"count": "0 user(s) removed from participants"}
    assert elsewhere() == there


def test_the_last_owner_stays(api, group, alice, dave):
    path = f"/api/groups/{group.pk}/groupOwners"
    refused = api.delete(f"{path}/{alice.pk}")
    assert (refused.status_code, refused.json()["code"]) == (409, "last_owner")
    api.post(path, {"userId": dave.pk})
    assert [link["userId"] for link in api.delete(f"{path}/{alice.pk}").json()] == [dave.pk]


def test_the_last_owner_may_be_a_member_no_more(api, group, alice, bob):
    answer = api.delete(f"/api/groups/{group.pk}/groupMembers/{alice.pk}")
    assert (answer.status_code, [link["userId"] for link in answer.json()]) == (200, [bob.pk])
    assert [link["userId"] for link in api.get(f"/api/groups/{group.pk}/groupOwners").json()] == [alice.pk]


def test_who_is_no_owner_changes_nothing_of_a_group_without_one(api, group, bob):
    ours(Ownership).all().delete()
    answer = api.delete(f"/api/groups/{group.pk}/groupOwners/{bob.pk}")
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_once_do_not_both_go(on_postgresql, group, alice, dave):
    Ownership.objects.create(group=group, user=dave)

    def leave(user_id: int) -> int:
        try:
            return APIClient().delete(f"/api/groups/{group.pk}/groupOwners/{user_id}").status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(leave, [alice.pk, dave.pk])) == [200, 409]
    assert ours(Ownership).count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_who_join_at_once_are_one_row_each(on_postgresql, group, dave):
    def join(_: int) -> int:
        try:
            path = f"/api/groups/{group.pk}/groupMembers"
            return APIClient().post(path, {"userId": dave.pk}).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(join, range(8))) == [200] * 7 + [201]
    assert Membership.objects.filter(user=dave).count() == 1
