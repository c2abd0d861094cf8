import pytest
from django.utils import timezone

from billing.ledger import set_balance
from billing.models import LedgerEntry
from groups.models import Activity, Group, Invitation, Membership, Ownership
from tests.neighbours import ours
from users.models import User


def test_a_person_goes_with_their_activities(api, group, bob):
    Activity.objects.create(group=group, user=bob, activity="Said hello")
    answer = api.delete(f"/api/users/{bob.pk}")
    assert answer.json() == {"count": "1 user deleted"}
    assert not ours(Activity).exists()
    assert api.get(f"/api/users/{bob.pk}").status_code == 404


def test_somebody_absent_is_404(api, db):
    assert api.delete("/api/users/999").status_code == 404


def test_a_group_passes_to_its_longest_standing_member(api, group, alice, bob, dave):
    Membership.objects.create(group=group, user=dave)
    api.delete(f"/api/users/{alice.pk}")
    assert [link["userId"] for link in api.get(f"/api/groups/{group.pk}/groupOwners").json()] == [bob.pk]


def test_of_two_who_joined_at_one_moment_the_first_to_be_written_down_inherits(api, group, alice, bob, dave):
    Membership.objects.create(group=group, user=dave)
    Membership.objects.filter(group=group).update(created_at=timezone.now())
    api.delete(f"/api/users/{alice.pk}")
    assert [link["userId"] for link in api.get(f"/api/groups/{group.pk}/groupOwners").json()] == [bob.pk]


def test_a_group_with_another_owner_stays_as_it_is(api, group, alice, dave):
    Ownership.objects.create(group=group, user=dave)
    api.delete(f"/api/users/{alice.pk}")
    assert [link["userId"] for link in api.get(f"/api/groups/{group.pk}/groupOwners").json()] == [dave.pk]


def test_a_group_left_with_only_invitees_goes(api, group, alice, bob):
    api.delete(f"/api/users/{bob.pk}")
    api.delete(f"/api/users/{alice.pk}")
    assert not ours(Group).exists()
    assert not ours(Invitation).exists()


def test_a_group_without_an_owner_gets_none_by_a_members_end(api, bob, carol):
    group = Group.objects.create(name="Nobody's")
    for user in (bob, carol):
        Membership.objects.create(group=group, user=user)
    api.delete(f"/api/users/{bob.pk}")
    assert not ours(Ownership).exists()


def test_in_a_bulk_deletion_no_goer_is_an_heir(group, alice, bob, dave):
    Membership.objects.create(group=group, user=dave)
    User.objects.filter(pk__in=[alice.pk, bob.pk]).delete()
    assert ours(Ownership).get().user == dave


def test_a_bulk_deletion_of_everybody_takes_the_group_along(group):
    ours(User).all().delete()
    assert not ours(Group).exists()


def test_the_ledger_outlives_the_person(api, alice):
    set_balance(user=alice, balance_micros=5_000_000, memo="A gift")
    assert api.delete(f"/api/users/{alice.pk}").status_code == 200
    entry = ours(LedgerEntry).get()
    assert entry.account.user is None
    assert entry.account.balance_micros() == 5_000_000


@pytest.mark.django_db
def test_a_persons_end_takes_a_number_of_queries_that_fits_a_request(api, group, bob, django_assert_max_num_queries):
    with django_assert_max_num_queries(105):
        api.delete(f"/api/users/{bob.pk}")
