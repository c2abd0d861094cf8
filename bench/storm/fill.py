"""The storm's people and groups, in a migrated, empty database. Run by `manage.py shell`."""

from django.db import transaction

from bench.storm.story import members, people_in_all
from groups.models import Device, Group, Membership, Ownership
from users.models import User


@transaction.atomic
def fill(groups: int) -> None:
    """Everybody has a phone that is notified."""
    people = range(1, people_in_all(groups) + 1)
    User.objects.bulk_create(User(pk=pk, email=f"person{pk}@example.com", display_name=f"Person {pk}") for pk in people)
    Group.objects.bulk_create(Group(pk=pk, name=f"Group {pk}") for pk in range(1, groups + 1))
    inside = {group: members(group, groups) for group in range(1, groups + 1)}
    Ownership.objects.bulk_create(Ownership(group_id=group, user_id=pks[0]) for group, pks in inside.items())
    Membership.objects.bulk_create(
        Membership(group_id=group, user_id=pk) for group, pks in inside.items() for pk in pks
    )
    Device.objects.bulk_create(
        Device(user_id=pk, identity=f"u_{pk}", address=f"of {pk}", binding_type="fcm", endpoint="phone", sid=f"BS{pk}")
        for pk in people
    )
