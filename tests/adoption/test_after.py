"""After a take-over: the API answers as the specification says, and the old tools' SQL goes on working."""

import json

import pytest

from tests.adoption.conftest import empty, family
from tests.adoption.first import Old, adopted, ask, manage

SIGN_IN = {"OPEN_MODE": False, "SIGN_IN": True}
SIGNED = """
import json
from django.test import Client
ask = Client(headers={{"authorization": "Bearer {token}"}}).get
print(json.dumps([(answer.status_code, answer.json()) for answer in map(ask, {paths!r})]))
"""


@pytest.fixture(scope="module")
def old(django_db_setup, tmp_path_factory):
    """Taken over once: what these tests add is in nobody's way."""
    with empty(tmp_path_factory, "after") as url:
        old = family(Old(url).make())
        old.person(90, "gone@example.com")
        if old.vendor == "postgresql":
            old.run("SELECT setval('users_id_seq', 90)")  # as an insert does that leaves the id to it
        old.run("DELETE FROM users WHERE id = 90")
        old.run("UPDATE activities SET \"createdAt\" = '2031-01-01 10:00:00' WHERE id = 3")  # not in the order of ids
        adopted(url)
        yield old


def test_people_groups_and_lists_are_as_specified(old):
    (_, rose), (_, missing), (_, group), (_, members), (_, owned) = ask(
        old.url,
        "/api/users/1",
        "/api/users/7",
        "/api/groups/1",
        "/api/groups/1/groupMembers",
        "/api/users/1/groupsOwned",
    )
    assert {**rose, "createdAt": ""} == {
        "id": 1,
        "email": "Rose@example.com",
        "displayName": "Person 1",
        "firstName": "Rosie",
        "lastName": None,
        "avatar": None,
        "phoneNumber": 5550123,
        "callStatus": False,
        "stripeId": "cus_rose",
        "billingSubcription": "free",
        "accountBalance": "14.75",
        "last4": "4242",
        "createdAt": "",
    }
    assert missing["status"] == 404
    assert (group["name"], group["phoneNumber"], group["callStatus"]) == ("Sunday lunch", "5550199", False)
    assert members == [
        {"groupId": 1, "userId": 1, "displayName": "Person 1"},
        {"groupId": 1, "userId": 2, "displayName": "Person 2"},
    ]
    assert owned == [{"groupId": 1, "GroupName": "Sunday lunch"}]


def test_activities_are_paged_newest_first(old):
    (_, whole), (_, newest) = ask(old.url, "/api/groups/2/activities", "/api/groups/2/activities?limit=2")
    assert [each["id"] for each in whole] == [3, *range(29, 3, -2), 1]
    assert newest == whole[:2]
    assert list(newest[0]) == ["id", "activity", "createdAt", "userId", "displayName", "avatar"]
    assert whole[-1]["createdAt"] == "2020-01-01T10:00:00.000Z"


def test_activities_have_their_numbers_and_groups_their_last_one(old):
    numbers = old.run('SELECT number FROM activities WHERE "groupId" = 2 ORDER BY id')
    assert [number for (number,) in numbers] == list(range(1, 16))
    assert old.run('SELECT "lastActivity" FROM groups WHERE id = 2') == [(15,)]


def test_an_insert_of_the_specified_columns_alone_works_and_is_counted(old):
    version = old.run("SELECT version FROM groups WHERE id = 1")[0][0]
    old.insert("activities", userId=2, groupId=1, activity="by the old tool")
    found = old.run("SELECT number FROM activities WHERE activity = 'by the old tool'")
    assert found == [(16,)]
    assert old.run("SELECT version FROM groups WHERE id = 1")[0][0] > version
    old.insert("usersGroupsParticipants", userId=1, groupId=1)
    (_, list_of), (_, newest) = ask(old.url, "/api/groups/1/callParticipants", "/api/groups/1/activities?limit=1")
    assert [each["userId"] for each in list_of] == [2, 1]
    assert newest[0]["activity"] == "by the old tool"


def test_no_id_is_given_a_second_time(old):
    """Not that of somebody who was deleted before, either."""
    old.run("INSERT INTO users (email, \"displayName\") VALUES ('new@example.com', 'New')")
    assert old.run("SELECT id FROM users WHERE email = 'new@example.com'")[0][0] == 91
    old.run("INSERT INTO groups (name) VALUES ('New')")
    assert old.run("SELECT id FROM groups WHERE name = 'New'") == [(3,)]


def test_the_ledger_refuses_changes_and_is_sound(old):
    with pytest.raises(Exception, match="append-only"):
        old.run('UPDATE "ledgerEntries" SET amount_micros = 1')
    status, said, _ = manage(old.url, "check_ledger")
    assert status == 0, said


def test_the_first_sign_in_binds_by_the_e_mail_whatever_its_case(old):
    status, token, wrong = manage(old.url, "issue_token", "ROSE@example.com", **SIGN_IN)
    assert status == 0, wrong
    paths = ("/api/users/1/detailed", "/api/users/2/detailed")
    code = SIGNED.format(token=token.strip(), paths=paths)
    status, said, wrong = manage(old.url, "shell", "--no-imports", "-c", code, **SIGN_IN)
    assert status == 0, wrong
    (own, body), (others, _) = json.loads(said.strip().splitlines()[-1])
    assert (own, body["id"], len(body["groupsOwned"])) == (200, 1, 1)
    assert others == 403
    assert old.run('SELECT count(*) FROM users WHERE "oidcSubject" IS NOT NULL') == [(1,)]


def test_a_second_time_nothing_is_done_and_the_old_tables_are_dropped_when_that_is_asked_for(old):
    before = old.dump()
    assert "is taken over" in adopted(old.url)
    assert old.dump() == before
    assert any(name.startswith("first_") for name in before)
    assert "Dropped first_" in adopted(old.url, "--drop-old-tables")
    assert old.dump() == {name: rows for name, rows in before.items() if not name.startswith("first_")}
    assert "none any more" in adopted(old.url, "--drop-old-tables")
    assert "is taken over" in adopted(old.url)
