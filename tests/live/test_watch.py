"""One look at the database: what is another since the last one, whoever follows it, and no more."""

import json
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.utils import timezone

from core import triggers
from groups import caption_triggers as of_captions
from groups.live import states
from groups.live.states import MOST_MISSED
from groups.live.watch import Watch
from groups.models import (
    Activity,
    Caption,
    Group,
    Invitation,
    Membership,
    Ownership,
    PartialCaption,
    Participant,
    Ring,
)
from groups.triggers import EVERY, LISTS_OF_EVERY_GROUP, RAISE_EVERY, NotCountedError
from users.models import User

pytestmark = pytest.mark.django_db
NOBODY = frozenset()
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def look(watch):
    def look(*people, groups=NOBODY, **more):
        return watch.look({person.pk for person in people}, frozenset(group.pk for group in groups), **more)

    return look


def saying(group, user, text="Hello"):
    return {"group": group, "user": user, "display_name": user.display_name, "language": "en-US", "text": text}


def found(changes):
    return set(changes.people), set(changes.groups)


def test_the_first_look_reads_people_and_all_of_their_groups_and_the_next_one_nothing(look, group, alice, bob, carol):
    assert found(look(alice, carol)) == ({alice.pk, carol.pk}, {group.pk})
    assert found(look(alice, carol)) == (set(), set())


def test_who_is_in_no_group_is_read_once_too(look, dave):
    assert [found(look(dave)) for _ in range(2)] == [({dave.pk}, set()), (set(), set())]


def test_groups_that_are_named_are_read_once_though_nobody_follows_them(look, group):
    assert [found(look(groups=[group])) for _ in range(2)] == [(set(), {group.pk}), (set(), set())]


def test_who_comes_later_is_read_and_nobody_else(look, group, alice, dave):
    look(alice)
    assert found(look(alice, dave)) == ({dave.pk}, set())


@pytest.fixture
def nobody_commits(monkeypatch):
    """Not even other tests, which PostgreSQL counts with ours."""
    monkeypatch.setattr("groups.live.watch.committed", lambda: ("the same", "tables"))


@pytest.mark.usefixtures("nobody_commits")
def test_while_nobody_commits_anything_it_is_not_looked_unless_somebody_asks(look, alice):
    look(alice)
    assert look(alice, is_asked=False) is None
    assert look(alice) is not None


def test_what_is_committed_while_it_looks_is_looked_for_next(look, alice, monkeypatch):
    commits, read = [0], Watch.read

    def read_meanwhile(*asked):
        commits[0] += 1
        return read(*asked)

    monkeypatch.setattr("groups.live.watch.committed", lambda: (commits[0], "tables"))
    monkeypatch.setattr(Watch, "read", read_meanwhile)
    look(alice)
    assert look(alice, is_asked=False) is not None


@pytest.mark.usefixtures("nobody_commits")
def test_over_another_connection_all_is_read_anew(watch, look, group, alice):
    look(alice)
    watch.connection = object()
    assert found(look(alice, is_asked=False)) == ({alice.pk}, {group.pk})
    assert look(alice, is_asked=False) is None


@pytest.mark.usefixtures("nobody_commits")
def test_where_tables_or_triggers_are_others_all_is_read_anew(watch, look, group, alice):
    look(alice)
    watch.schema = ("another",)
    assert found(look(alice, is_asked=False)) == ({alice.pk}, {group.pk})


@pytest.mark.parametrize("counting", [EVERY, of_captions.TRIGGERS], ids=["versions", "captions"])
def test_where_changes_are_not_counted_nothing_is_told(look, alice, counting):
    vendor = connection.vendor
    with connection.cursor() as cursor:
        cursor.execute(triggers.of(vendor, counting)[0].drop_sql(vendor))
    with pytest.raises(NotCountedError):
        look(alice)


def test_what_nobody_follows_any_more_is_forgotten(watch, look, group, alice, dave):
    look(alice, dave)
    look(dave)
    assert (set(watch.people), set(watch.groups)) == ({dave.pk}, set())


def test_whose_group_is_named_another_way_has_another_list(look, group, alice, bob, dave):
    look(alice, bob, dave)
    Group.objects.filter(pk=group.pk).update(name="Kin")
    assert found(look(alice, bob, dave)) == ({alice.pk, bob.pk}, {group.pk})


def test_a_group_that_shows_somebody_is_another_when_they_are(look, group, alice, bob):
    look(alice)
    User.objects.filter(pk=bob.pk).update(display_name="Robert")
    assert found(look(alice)) == (set(), {group.pk})


def test_a_group_that_shows_nobody_who_has_changed_is_not(look, group, alice, dave):
    look(alice, dave)
    User.objects.filter(pk=dave.pk).update(display_name="David")
    assert found(look(alice, dave)) == ({dave.pk}, set())


def test_what_is_said_is_a_change_of_its_group(look, group, alice, bob):
    look(alice)
    PartialCaption.objects.create(**saying(group, bob), transcription="GT1", sequence_id=1)
    changes = look(alice)
    assert found(changes) == (set(), {group.pk})
    caption = json.loads(changes.groups[group.pk].told["caption:GT1"])
    assert (caption["final"], caption["caption"]["text"], caption["caption"]["typed"]) == (False, "Hello", False)
    assert (caption["caption"]["id"], caption["caption"]["spoken"], caption["caption"]["why"]) == (None, None, None)


def test_whoever_is_on_a_call_is_shown_by_it_though_they_are_in_no_list(look, group, alice, dave):
    Participant.objects.create(group=group, user=dave)
    look(alice)
    User.objects.filter(pk=dave.pk).update(display_name="David")
    assert found(look(alice)) == (set(), {group.pk})


def test_of_long_lists_the_beginning_is_told(look, monkeypatch, group, alice, bob, carol):
    """As their GETs do."""
    monkeypatch.setattr(states, "MOST_LISTED", 1)
    Ownership.objects.create(group=Group.objects.create(name="Work"), user=alice)
    for user in (bob, carol):
        Ring.objects.create(group=group, user=user, by=alice, state="ringing", changed_at=timezone.now())
        PartialCaption.objects.create(**saying(group, user), transcription=f"GT{user.pk}", sequence_id=1)
    changes = look(alice)
    told = changes.groups[group.pk].told
    assert len(json.loads(told["groupMembers"])["groupMembers"]) == 1
    assert len([name for name in told if name.startswith("ring:")]) == 1
    assert len([name for name in told if name.startswith("caption:")]) == 1
    assert len(json.loads(changes.people[alice.pk].told["groups"])["groupsOwned"]) == 1
    assert len(changes.people[alice.pk].groups) == 2  # all of them are followed


def test_what_tells_of_all_groups_has_all_of_them_read(look, group, alice):
    look(alice)
    with connection.cursor() as cursor:
        cursor.execute(RAISE_EVERY.format(rows=f"({LISTS_OF_EVERY_GROUP}, 1)"))
    assert found(look(alice)) == (set(), {group.pk})


def test_rows_that_go_to_groups_that_add_up_to_the_same_are_another_list(look, bob):
    """A person's lists are known by the sums of their rows."""
    one, two, three, four = (Group.objects.create(name=name) for name in ("One", "Two", "Three", "Four"))
    assert one.pk + four.pk == two.pk + three.pk
    rows = [Membership.objects.create(group=group, user=bob) for group in (one, four)]
    look(bob)
    for row, group in zip(rows, (two, three), strict=True):
        Membership.objects.filter(pk=row.pk).update(group=group)
    changes = look(bob)
    assert changes.people[bob.pk].groups == {two.pk, three.pk}
    assert set(changes.groups) == {one.pk, two.pk, three.pk, four.pk}


@pytest.mark.parametrize("part", [Ownership, Membership, Invitation])
def test_who_comes_into_a_group_has_it_in_their_list_and_stands_in_its_own(look, group, alice, dave, part):
    look(alice, dave)
    part.objects.create(group=group, user=dave)
    changes = look(alice, dave)
    assert found(changes) == ({dave.pk}, {group.pk})
    assert changes.people[dave.pk].groups == {group.pk}
    assert changes.people[dave.pk].talks == (set() if part is Invitation else {group.pk})
    assert dave.pk in changes.groups[group.pk].shown


def test_a_group_that_is_gone_is_told_of_as_gone(look, group, alice):
    look(alice)
    pk = group.pk
    group.delete()
    assert look(alice).groups[pk] is None
    assert look(alice).groups == {}


def test_of_activities_those_are_read_that_whoever_knows_least_has_not(look, group, alice, bob):
    for word in ("one", "two", "three"):
        Activity.objects.create(group=group, user=bob, activity=word)
    mark = look(alice).groups[group.pk].mark
    assert look(alice).activities == {}
    earlier = {group.pk: mark._replace(number=mark.number - 2)}
    assert [number for number, _ in look(alice, known=earlier).activities[group.pk]] == [mark.number - 1, mark.number]
    Activity.objects.create(group=group, user=bob, activity="four")
    assert [number for number, _ in look(alice).activities[group.pk]] == [mark.number + 1]


@pytest.mark.parametrize("change", [{"created_at": NOON}, {"spoken": "spoken"}, {"why": "x"}], ids=str)
def test_a_caption_that_changes_is_told_again(look, group, alice, bob, change):
    """Also where its time is put right: an earlier one was told late, and the list has another order."""
    made = Caption.objects.create(**saying(group, bob), typed=True, spoken="waiting")
    look(alice)
    Caption.objects.filter(pk=made.pk).update(**change)
    ((_, told),) = look(alice).captions[group.pk]
    assert json.loads(told)["caption"]["id"] == made.pk


@pytest.mark.parametrize(("more", "is_too_many"), [(0, False), (1, True)])
def test_who_has_missed_more_than_can_be_told_begins_anew(look, group, alice, bob, more, is_too_many):
    mark = look(alice).groups[group.pk].mark
    Caption.objects.bulk_create(Caption(**saying(group, bob)) for _ in range(MOST_MISSED + more))
    Activity.objects.bulk_create(Activity(group=group, user=bob, activity="x") for _ in range(3))
    assert look(alice, known={group.pk: mark}).too_many(group.pk) is is_too_many


def test_of_captions_too_but_for_those_without_words(look, group, alice, bob):
    for text in ("One", "", "Three"):
        Caption.objects.create(**saying(group, bob, text))
    numbers = list(
        Caption.objects.filter(group=group).exclude(text="").order_by("number").values_list("number", flat=True)
    )
    mark = look(alice).groups[group.pk].mark
    assert look(alice).captions == {}
    known = {group.pk: mark._replace(caption=0)}
    assert [number for number, _ in look(alice, known=known).captions[group.pk]] == numbers
