"""Fills a migrated, empty database: 2,000 people, 600 groups, 18,000 activities. The same rows each time.

Each group has an owner, about 8 members (the owner among them), 2 invitees and 3 people on its call. One person is in
10 groups, of which they own 3: theirs is the `detailed` that is measured.
"""

import json
import random
from datetime import UTC, datetime, timedelta

from django.db import transaction

from groups.models import Activity, Group, Invitation, Link, Membership, Ownership, Participant
from users.models import User

PEOPLE, GROUPS, ACTIVITIES = 2_000, 600, 30
GROUPS_OF_THE_PERSON, OWNED_BY_THE_PERSON = 10, 3
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@transaction.atomic
def fill() -> None:
    """Prints the ids of the person and of one of their groups, as JSON."""
    chance = random.Random(20260101)
    person, *others = User.objects.bulk_create(
        User(
            email=f"person{number}@example.com",
            display_name=f"Person {number}",
            first_name="Maria",
            last_name=f"González {number}",
            avatar=f"https://images.example.com/avatars/person{number}.jpg",
            phone_number=15550000000 + number,
        )
        for number in range(PEOPLE)
    )
    groups = Group.objects.bulk_create(
        Group(name=f"Group {number}", phone_number="+15550000000", call_status=True) for number in range(GROUPS)
    )
    links: list[Link] = []
    activities: list[Activity] = []
    for number, group in enumerate(groups):
        around = chance.sample(others, chance.randint(8, 12))
        members, invitees = around[:-2], around[-2:]
        if number < GROUPS_OF_THE_PERSON:
            members[0 if number < OWNED_BY_THE_PERSON else 1] = person
        links += [
            *(Ownership(group=group, user=user) for user in members[:1]),
            *(Membership(group=group, user=user) for user in members),
            *(Invitation(group=group, user=user) for user in invitees),
            *(Participant(group=group, user=user) for user in members[:3]),
        ]
        activities += [
            Activity(
                group=group,
                user=chance.choice(members),
                activity="started a call",
                created_at=BEGINNING + timedelta(minutes=chance.randrange(500_000)),
            )
            for _ in range(ACTIVITIES)
        ]
    for model in (Ownership, Membership, Invitation, Participant):
        model._default_manager.bulk_create(link for link in links if isinstance(link, model))
    Activity.objects.bulk_create(activities)
    print(json.dumps({"person": person.pk, "group": groups[0].pk}))
