"""The specification's tables, for the tools and the SQL that know them."""

import pytest
from django.db import IntegrityError, connection, transaction

INSERTS = """
INSERT INTO users (email, "displayName") VALUES ('raw@example.com', 'Raw')
INSERT INTO groups (name) VALUES ('Raw')
INSERT INTO activities ("userId", "groupId", activity) VALUES (1, 1, 'Did')
INSERT INTO "usersGroupsOwnership" ("userId", "groupId") VALUES (1, 1)
INSERT INTO "usersGroupsMembership" ("userId", "groupId") VALUES (1, 1)
INSERT INTO "usersGroupsInvitations" ("userId", "groupId") VALUES (1, 1)
INSERT INTO "usersGroupsParticipants" ("userId", "groupId") VALUES (1, 1)
INSERT INTO "callSessions" (sid, "userId", "groupId", duration, price) VALUES ('CA1', 1, 1, 60, -8500)
"""
COLUMNS = {
    "users": "id email displayName firstName lastName avatar phoneNumber callStatus stripeId billingSubcription "
    "accountBalance last4 createdAt",
    "groups": "id name phoneNumber callStatus createdAt",
    "activities": "id userId groupId activity createdAt",
    "usersGroupsOwnership": "userId groupId createdAt",
    "usersGroupsMembership": "userId groupId createdAt",
    "usersGroupsInvitations": "userId groupId createdAt",
    "usersGroupsParticipants": "userId groupId createdAt",
    "callSessions": "sid userId groupId startTime endTime duration price createdAt",
}
LINKS = [table for table in COLUMNS if table.startswith("usersGroups")]


@pytest.mark.parametrize("table", COLUMNS)
def test_a_table_has_the_specifications_columns(db, table):
    with connection.cursor() as cursor:
        names = {column.name for column in connection.introspection.get_table_description(cursor, table)}
    assert set(COLUMNS[table].split()) <= names


@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_raw_rows_of_the_specified_columns_alone_are_valid(api):
    with connection.cursor() as cursor:
        for statement in INSERTS.strip().splitlines():
            cursor.execute(statement)
    shown = api.get("/api/users/1/detailed").json()
    assert (shown["callStatus"], shown["accountBalance"], shown["billingSubcription"]) == (False, "0.00", "free")
    group = shown["groupsOwned"][0]
    assert all(len(group[name]) == 1 for name in ("activities", "owners", "members", "invitees", "callParticipants"))
    assert api.get("/api/billing/allTwilioCharges").json()["total"] == -0.0085


@pytest.mark.parametrize("table", LINKS)
def test_a_link_is_unique_and_indexed_both_ways(db, table):
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, table).values()
    assert any(each["unique"] and each["columns"] == ["groupId", "userId"] for each in constraints)
    assert any(each["index"] and each["columns"] == ["userId"] for each in constraints)


def test_activities_are_indexed_as_they_are_read(db):
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "activities").values()
    orders = [each["orders"] for each in constraints if each["columns"] == ["groupId", "createdAt", "id"]]
    assert orders == [["ASC", "DESC", "DESC"]]


def test_an_email_is_unique_without_case(alice):

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("""INSERT INTO users (email, "displayName") VALUES ('ALICE@example.com', 'Again')""")
