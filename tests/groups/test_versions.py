"""Versions: raised by the database itself, whoever writes. For each trigger the write that it watches."""

import pytest
from django.db import connection

from core.triggers import THERE, install, missing, of
from groups import triggers
from groups.models import Activity, EveryGroup, Group, Invitation, Participant
from tests.access.rows import all_rows
from tests.neighbours import ours
from users.models import User

ALL = {each.name: each for each in of(connection.vendor, triggers.EVERY)}
OWN = {"users": "UPDATE users SET \"displayName\" = 'Al'", "groups": "UPDATE groups SET name = 'Kin'"}
WRITES = {
    "INSERT": 'INSERT INTO "{table}" ("userId", "groupId"{more}) VALUES ({dave}, {group}{value})',
    "UPDATE": 'UPDATE "{table}" SET "userId" = {dave} WHERE "userId" = {carol}',
    "DELETE": 'DELETE FROM "{table}" WHERE "groupId" = {group}',
    "TRUNCATE": 'TRUNCATE "{table}"',
}


def run(statement):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # or tables with foreign keys to look at are not altered
        cursor.execute(statement)


def raises_every_group(trigger):
    """As PostgreSQL's do that cannot say which."""
    return connection.vendor == "postgresql" and "everyGroup" in trigger.function


def versions():
    return {model: dict(model.objects.values_list("pk", "version")) for model in (Group, User, EveryGroup)}


def moved(before):
    """The rows whose version is another one, as (model's name, id)."""
    now = versions()
    return {(model.__name__, pk) for model in now for pk in now[model] if now[model][pk] != before[model].get(pk)}


@pytest.fixture
def other(db):
    return Group.objects.create(name="Neighbours")


@pytest.fixture
def watched(group, other, carol, dave):
    """Carol's row on every list. A trigger's name gives the write that it watches, and whose version that raises."""
    Participant.objects.create(group=group, user=carol)
    for each in triggers.AROUND:
        each.objects.get_or_create(group=group, user=carol)

    def watched(trigger):
        if trigger.table in OWN:
            rows = ours(User).all() if trigger.table == "users" else ours(Group).all()
            return OWN[trigger.table], {(rows.model.__name__, row.pk) for row in rows}
        verb = trigger.name.rpartition("_")[2].upper()
        more, value = (", activity", ", 'spoke'") if trigger.table == "activities" else ("", "")
        names = {"group": group.pk, "carol": carol.pk, "dave": dave.pk, "more": more, "value": value}
        statement = WRITES[verb].format(table=trigger.table, **names)
        if raises_every_group(trigger):
            return statement, {("EveryGroup", 1), *([("EveryGroup", 2)] if verb == "TRUNCATE" else [])}
        return statement, {("Group", group.pk)}

    return watched


@pytest.mark.alone
@pytest.mark.parametrize("name", ALL)
def test_a_write_by_hand_raises_what_it_touches_and_nothing_else(watched, name):
    statement, raised = watched(ALL[name])
    before = versions()
    run(statement)
    assert moved(before) == raised


@pytest.mark.alone
@pytest.mark.parametrize("name", ALL)
def test_without_its_trigger_it_raises_nothing(watched, name):
    statement, _ = watched(ALL[name])
    before = versions()
    run(ALL[name].drop_sql(connection.vendor))
    run(statement)
    assert moved(before) == set()


@pytest.mark.parametrize("name", ALL)
def test_a_trigger_that_is_gone_is_missed_until_it_is_made_again(db, name):
    def missed():
        with connection.cursor() as cursor:
            cursor.execute(THERE[connection.vendor])
            return missing(triggers.EVERY, connection.vendor, cursor.fetchall())

    assert missed() == []
    run(ALL[name].drop_sql(connection.vendor))
    assert missed() == [name]
    install(triggers.EVERY)
    assert missed() == []


def test_a_version_begins_at_the_clock_for_who_inserts_by_hand_too(db):
    run("INSERT INTO groups (name) VALUES ('By hand')")
    by_hand, made = ours(Group).get().version, Group.objects.create(name="By Django").version
    assert abs(made - by_hand) < 60_000_000


def test_each_change_of_a_row_raises_it_by_one_whatever_is_said_of_the_version(alice):
    began = versions()[User][alice.pk]
    User.objects.filter(pk=alice.pk).update(display_name="Al", version=5)
    User.objects.filter(pk=alice.pk).update(avatar="https://example.com/a.png")
    alice.save()  # with the version that was read
    assert versions()[User][alice.pk] == began + 3


def test_a_write_that_changes_nothing_raises_nothing(group, alice):
    before, rows = versions(), all_rows()
    run('UPDATE users SET "displayName" = "displayName"')
    run("UPDATE groups SET name = name")
    run('UPDATE "usersGroupsOwnership" SET "userId" = "userId"')
    assert (moved(before), all_rows()) == (set(), rows)


def test_a_row_that_moves_to_another_group_raises_both(group, other):
    before = versions()
    ours(Invitation).update(group=other)
    assert moved(before) == {("Group", group.pk), ("Group", other.pk)}


def test_who_sent_an_invitation_is_shown_to_nobody_and_raises_nothing(group, alice):
    before = versions()
    ours(Invitation).update(invited_by=alice)
    assert moved(before) == set()


def test_one_statement_raises_each_of_its_groups(group, other, alice):
    before = versions()
    Activity.objects.bulk_create(Activity(group=each, user=alice, activity="x") for each in (other, group, other))
    assert moved(before) == {("Group", group.pk), ("Group", other.pk)}


def test_what_goes_with_a_group_or_a_person_raises_no_other_group(group, other, alice, bob):
    for each in (group, other):
        Activity.objects.create(group=each, user=bob, activity="spoke")
    before = versions()
    group.delete()
    assert moved(before) == set()
    alice.delete()
    assert moved(before) == set()


def test_a_person_who_goes_raises_the_groups_that_they_are_taken_from(group, bob):
    Activity.objects.create(group=group, user=bob, activity="spoke")
    before = versions()
    bob.delete()
    assert moved(before) == {("Group", group.pk)}


def test_raising_a_version_never_reads_all_groups(on_postgresql, group, dave):
    """However few there are when PostgreSQL plans it: the plan is kept while they grow many."""

    def scans():
        with connection.cursor() as cursor:
            cursor.execute("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'groups'")
            return cursor.fetchone()[0]

    before, version = scans(), versions()[Group][group.pk]
    scanned = scans() - before  # by this test's own reading
    Participant.objects.create(group=group, user=dave)
    ours(Participant).all().delete()
    assert versions()[Group][group.pk] == version + 2
    assert scans() - before == 2 * scanned


# --- The numbers of activities ----------------------------------------------------------------------------------------


def numbers(group):
    return list(Activity.objects.filter(group=group).order_by("id").values_list("number", flat=True))


def test_activities_are_numbered_in_each_group_from_one_by_whoever_writes(group, other, alice):
    Activity.objects.create(group=group, user=alice, activity="spoke")
    Activity.objects.bulk_create(Activity(group=each, user=alice, activity="sang") for each in (other, group, other))
    values = f"({alice.pk}, {group.pk}, 'sang')"
    run(f'INSERT INTO activities ("userId", "groupId", activity) VALUES {values}, {values}')  # noqa: S608  # our own
    assert (numbers(group), numbers(other)) == ([1, 2, 3, 4], [1, 2])
    group.refresh_from_db()
    assert group.last_activity == 4


def test_no_number_comes_twice_whatever_is_deleted_and_whoever_saves_the_group_as_it_was(group, alice):
    Activity.objects.create(group=group, user=alice, activity="spoke")
    ours(Activity).all().delete()
    group.name = "Kin"
    group.save()
    Activity.objects.create(group=group, user=alice, activity="sang")
    assert numbers(group) == [2]
