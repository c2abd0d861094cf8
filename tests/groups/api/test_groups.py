import pytest

from groups.models import Group, Participant
from tests.neighbours import ours

GROUP = ["id", "name", "phoneNumber", "callStatus", "createdAt"]


def test_a_group_is_made(api, db):
    answer = api.post("/api/groups", {"name": " Family ", "phoneNumber": 15551234567, "callStatus": True, "extra": 1})
    assert answer.status_code == 201
    assert list(answer.json()) == GROUP
    assert [answer.json()[key] for key in GROUP[1:4]] == [" Family ", "15551234567", True]


def test_a_name_is_enough(api, db):
    group = api.post("/api/groups", {"name": "Family"}).json()
    assert (group["phoneNumber"], group["callStatus"]) == (None, False)


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"name": "\u200b"},
        {"name": ""},
        {"name": None},
        {"name": "x" * 129},
        {"name": "G", "phoneNumber": "1" * 13},
        {"name": "G", "phoneNumber": -1},
        {"name": "G", "phoneNumber": 1.5},
        {"name": "G", "callStatus": None},
        {"name": "a\x00"},
        [],
    ],
)
def test_a_bad_group_is_refused(api, db, sent):
    assert api.post("/api/groups", sent).status_code == 400
    assert not ours(Group).exists()


@pytest.mark.alone
def test_all_groups_are_listed_in_one_query(api, group, django_assert_num_queries):
    Group.objects.create(name="Other")
    with django_assert_num_queries(1):
        assert [each["name"] for each in api.get("/api/groups").json()] == ["Family", "Other"]


def test_one_group_is_read(api, group):
    assert api.get(f"/api/groups/{group.pk}").json()["name"] == "Family"
    assert api.get("/api/groups/999").status_code == 404


def test_only_what_is_sent_changes(api, group):
    changed = api.put(f"/api/groups/{group.pk}", {"phoneNumber": "12"}).json()
    assert (changed["name"], changed["phoneNumber"]) == ("Family", "12")
    assert api.put(f"/api/groups/{group.pk}", {}).status_code == 200


@pytest.mark.parametrize("field", ["id", "createdAt", "owner"])
def test_other_fields_are_refused_by_name(api, group, field):
    answer = api.put(f"/api/groups/{group.pk}", {field: 1})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_a_group_is_deleted_with_its_lists(api, group):
    assert api.delete(f"/api/groups/{group.pk}").json() == {"count": "1 group deleted"}
    assert api.get(f"/api/groups/{group.pk}/groupMembers").status_code == 404
    assert api.delete(f"/api/groups/{group.pk}").status_code == 404


def test_the_people_on_a_deleted_groups_call_are_no_longer_on_one(api, group, alice, bob):
    other = Group.objects.create(name="Other")
    for user, groups in ((alice, [group]), (bob, [group, other])):
        user.call_status = True
        user.save()
        Participant.objects.bulk_create(Participant(group=each, user=user) for each in groups)
    api.delete(f"/api/groups/{group.pk}")
    assert api.get(f"/api/users/{alice.pk}").json()["callStatus"] is False
    assert api.get(f"/api/users/{bob.pk}").json()["callStatus"] is True


def test_the_call_status_is_read_in_one_query(api, group, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert api.get(f"/api/groups/{group.pk}/callStatus").json() == {"callStatus": False}


def test_the_call_status_is_set(api, group):
    answer = api.put(f"/api/groups/{group.pk}/callStatus", {"callStatus": True})
    assert list(answer.json()) == GROUP
    assert answer.json()["callStatus"] is True


@pytest.mark.parametrize("sent", [{"callStatus": None}, {"callStatus": "x"}, {"name": "x"}])
def test_a_bad_call_status_is_refused(api, group, sent):
    assert api.put(f"/api/groups/{group.pk}/callStatus", sent).status_code == 400
