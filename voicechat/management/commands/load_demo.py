"""Fills an empty database with a family and a garden club, so that a newcomer has something to look at."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from billing.ledger import set_balance
from core.wire import MICROS_PER_DOLLAR
from groups.models import Group, Invitation, Membership, Ownership
from groups.services import add_activity, add_person
from users.models import User, VerifiedNumber
from users.services import sign_up

PEOPLE = ("Rose", "Walter", "Ines", "Tom")
GROUPS = (
    ("Sunday lunch", ("Rose", "Walter", "Ines"), ("Tom",)),
    ("Garden club", ("Walter", "Tom"), ("Rose",)),
)
"""Name; members, the first of whom owns it; invitees."""
NUMBERS = {"Rose": 12025550101, "Walter": 12025550101, "Ines": 12025550102}
"""Rose and Walter share a landline. None of these is anybody's: https://nanpa.com/numbering/555-line-numbers"""


class Command(BaseCommand):
    help = "Loads demo people and groups into an empty development database. One that holds people stays as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Demo people are for development: DB_ENV is production.")
        if User.objects.exists():
            return
        people = {name: self.person(name) for name in PEOPLE}
        with transaction.atomic():
            for name, members, invitees in GROUPS:
                self.group(name, [people[each] for each in members], [people[each] for each in invitees])
        self.stdout.write(f"Loaded {len(PEOPLE)} demo people and {len(GROUPS)} demo groups.")

    def person(self, name: str) -> User:
        user, _ = sign_up(email=f"{name.lower()}@example.com", display_name=name, avatar=None)
        if number := NUMBERS.get(name):
            VerifiedNumber.objects.create(user=user, number=f"+{number}", verified_at=timezone.now())
            User.objects.filter(pk=user.pk).update(phone_number=number)
        set_balance(user=user, balance_micros=10 * MICROS_PER_DOLLAR, memo="Demo money")
        return user

    def group(self, name: str, members: list[User], invitees: list[User]) -> None:
        group = Group.objects.create(name=name)
        owner = members[0]
        add_person(group_id=group.pk, user_id=owner.pk, people=Ownership)
        add_person(group_id=group.pk, user_id=owner.pk, people=Membership)
        add_activity(group_id=group.pk, user_id=owner.pk, activity=f"Created group {name}")
        for member in members[1:]:
            add_person(group_id=group.pk, user_id=member.pk, people=Membership)
            add_activity(group_id=group.pk, user_id=member.pk, activity="Joined the group")
        for invitee in invitees:
            add_person(group_id=group.pk, user_id=invitee.pk, people=Invitation)
