"""What becomes of groups when somebody goes: of theirs, and of those that are none of theirs."""

from contextlib import closing
from datetime import timedelta

import psycopg2
import pytest
from django.db import connection
from django.utils import timezone

from groups.models import (
    Activity,
    Caption,
    Departure,
    Device,
    Group,
    Invitation,
    Membership,
    Ownership,
    Participant,
    SandboxNotification,
)
from tests.conftest import person
from tests.neighbours import ours
from tests.served import address
from users.models import User, VendorDeletion

pytestmark = pytest.mark.django_db


@pytest.fixture
def zoe():
    return person("Zoe")


@pytest.fixture
def elsewhere(zoe, dave):
    """A group that is none of Bob's, with everything that a group can have."""
    group = Group.objects.create(name="Neighbours", call_status=True)
    Ownership.objects.create(group=group, user=zoe)
    for people in (Membership, Participant):
        people.objects.create(group=group, user=zoe)
    Invitation.objects.create(group=group, user=dave)
    Departure.objects.create(group=group, user=dave, left_at=timezone.now())
    Activity.objects.create(group=group, user=zoe, activity="Zoe sang")
    Device.objects.create(user=zoe, identity=f"u_{zoe.pk}", address="of Zoe", sid="BS1").tags.set([group])
    User.objects.filter(pk=zoe.pk).update(call_status=True)
    return group


def rows_of(group):
    parts = (Ownership, Membership, Participant, Invitation, Departure, Activity)
    return {part.__name__: list(part.objects.filter(group=group).order_by("pk").values()) for part in parts}


def test_where_they_only_ever_spoke_their_name_goes_from_what_others_said(api, elsewhere, bob, zoe):
    said = {"group": elsewhere, "language": "en-US"}
    Caption.objects.create(**said, user=bob, display_name="Bob", text="Hello")
    theirs = Caption.objects.create(**said, user=zoe, display_name="Zoe", text="Hello, Bob")
    api.delete(f"/api/users/{bob.pk}")
    theirs.refresh_from_db()
    assert "Bob" not in theirs.text


def test_of_a_group_that_is_none_of_theirs_everything_stays(api, group, elsewhere, bob, zoe):
    before = rows_of(elsewhere)
    api.delete(f"/api/users/{bob.pk}")
    assert rows_of(elsewhere) == before
    assert ours(Device).get().tag_ids() == [elsewhere.pk]
    assert User.objects.get(pk=zoe.pk).call_status


def test_with_a_group_that_goes_those_on_another_groups_call_stay_on_it(api, group, elsewhere, bob, zoe):
    Participant.objects.create(group=group, user=bob)
    User.objects.filter(pk=bob.pk).update(call_status=True)
    before = rows_of(elsewhere)
    api.delete(f"/api/groups/{group.pk}")
    assert (rows_of(elsewhere), User.objects.get(pk=zoe.pk).call_status) == (before, True)
    assert not User.objects.get(pk=bob.pk).call_status


@pytest.mark.parametrize("part", [Ownership, Membership])
def test_with_the_only_one_who_is_in_it_a_group_goes(api, dave, elsewhere, part):
    own = Group.objects.create(name="Own")
    part.objects.create(group=own, user=dave)
    api.delete(f"/api/users/{dave.pk}")
    assert list(ours(Group).all()) == [elsewhere]


def test_whose_group_has_another_member_leaves_it_to_them_whatever_goes_with_them(api, dave, bob, elsewhere):
    own, shared = (Group.objects.create(name=name) for name in ("Own", "Shared"))
    for group in (own, shared):
        Ownership.objects.create(group=group, user=dave)
    Membership.objects.create(group=shared, user=bob)
    api.delete(f"/api/users/{dave.pk}")
    assert list(ours(Group).order_by("pk")) == [elsewhere, shared]
    assert [each["userId"] for each in api.get(f"/api/groups/{shared.pk}/groupOwners").json()] == [bob.pk]


def test_a_group_that_nobody_owns_is_nothing_to_whoever_goes_from_elsewhere(api, dave, bob):
    """As those that are made in open mode, or by operators."""
    empty, ownerless = (Group.objects.create(name=name) for name in ("Empty", "Ownerless"))
    Membership.objects.create(group=ownerless, user=bob)
    api.delete(f"/api/users/{dave.pk}")
    assert list(ours(Group).order_by("pk")) == [empty, ownerless]
    assert not ours(Ownership).exists()


@pytest.mark.parametrize("had", [Ownership, Membership])
def test_where_another_owner_stays_nobody_becomes_one(api, group, alice, bob, dave, had):
    Membership.objects.create(group=group, user=dave)
    had.objects.get_or_create(group=group, user=dave)
    api.delete(f"/api/users/{dave.pk}")
    assert [each["userId"] for each in api.get(f"/api/groups/{group.pk}/groupOwners").json()] == [alice.pk]


def test_who_is_a_member_of_a_group_without_an_owner_leaves_it_as_it_is(api, bob, dave):
    group = Group.objects.create(name="Ownerless")
    for user in (bob, dave):
        Membership.objects.create(group=group, user=user)
    api.delete(f"/api/users/{dave.pk}")
    assert (group.ownerships.count(), group.memberships.get().user) == (0, bob)


def test_groups_that_go_together_free_all_who_are_on_their_calls_and_nobody_else(elsewhere, alice, bob, zoe):
    groups = [Group.objects.create(name=name) for name in ("One", "Two")]
    for group, user in zip([*groups, groups[1]], (alice, bob, alice), strict=True):
        Participant.objects.create(group=group, user=user)
    ours(User).update(call_status=True)
    Group.objects.filter(pk__in=[group.pk for group in groups]).delete()
    assert set(User.objects.filter(call_status=True).values_list("display_name", flat=True)) == {"Dave", "Zoe"}


def test_with_somebody_go_their_devices_here_and_at_the_vendor_and_nobody_elses(api, bob, zoe):
    """Their own, and those that were registered for their identity before anybody had it."""
    registered = {"own": (bob, bob), "early": (None, bob), "lent": (zoe, bob), "other": (zoe, zoe)}
    for sid, (user, named) in registered.items():
        Device.objects.create(user=user, identity=f"u_{named.pk}", address=sid, sid=sid, binding_type="apn")
    Device.objects.create(identity="u_9999", address="nobody's", sid="nobody's", binding_type="apn")
    api.delete(f"/api/users/{bob.pk}")
    assert set(ours(Device).values_list("sid", flat=True)) == {"lent", "other", "nobody's"}
    assert set(ours(VendorDeletion).values_list("name", flat=True)) == {"apn:own", "apn:early"}


TRACES = {
    "has a part": lambda group, user: Membership.objects.create(group=group, user=user),
    "is invited": lambda group, user: Invitation.objects.create(group=group, user=user),
    "is on its call": lambda group, user: Participant.objects.create(group=group, user=user),
    "has left": lambda group, user: Departure.objects.create(
        group=group, user=user, left_at=timezone.now() - timedelta(minutes=5)
    ),
    "did something": lambda group, user: Activity.objects.create(group=group, user=user, activity="sang"),
}


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
def test_where_anything_of_theirs_stands_their_name_is_taken_out_and_nowhere_else(api, elsewhere, alice, zoe, trace):
    here = Group.objects.create(name="Here")
    Ownership.objects.create(group=here, user=alice)
    trace(here, goer := person("Quentin"))
    for group in (here, elsewhere):
        Activity.objects.create(group=group, user=zoe, activity="Zoe called Quentin")
        SandboxNotification.objects.create(group_id=group.pk, body="Quentin calls", identities=["u_9999"])
    api.delete(f"/api/users/{goer.pk}")
    said = dict(Activity.objects.filter(activity__startswith="Zoe called").values_list("group", "activity"))
    assert said == {here.pk: "Zoe called deleted person", elsewhere.pk: "Zoe called Quentin"}
    assert [each.group_id for each in SandboxNotification.objects.all()] == [elsewhere.pk]


@pytest.fixture
def impatient(on_postgresql):
    """Whoever has to wait for a lock gives up."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")
        yield
        cursor.execute("RESET lock_timeout")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("goes", ["users", "groups"])
def test_a_deletion_waits_for_nobody_whom_it_does_not_concern(impatient, api, group, elsewhere, bob, zoe, dave, goes):
    Participant.objects.create(group=group, user=bob)
    with closing(psycopg2.connect(address())) as other:
        cursor = other.cursor()
        cursor.execute("SELECT 1 FROM groups WHERE id = %s FOR UPDATE", [elsewhere.pk])
        cursor.execute("SELECT 1 FROM users WHERE id IN (%s, %s) FOR UPDATE", [zoe.pk, dave.pk])
        cursor.execute('SELECT 1 FROM "devices" FOR UPDATE')
        path = f"/api/users/{bob.pk}" if goes == "users" else f"/api/groups/{group.pk}"
        assert api.delete(path).status_code == 200
