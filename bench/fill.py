"""Fills a migrated, empty database: 2,000 people, 600 groups, 18,000 activities. The same rows each time.

Each group has an owner, about 8 members (the owner among them), 2 invitees and 3 people on its call. One person is in
10 groups, of which they own 3: theirs is the `detailed` that is measured.
"""

import json
import random
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from groups.models import Activity, Group, Invitation, Membership, Ownership, Participant
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
    owners: list[Ownership] = []
    members: list[Membership] = []
    invitees: list[Invitation] = []
    participants: list[Participant] = []
    activities: list[Activity] = []
    for number, group in enumerate(groups):
        around = chance.sample(others, chance.randint(8, 12))
        if number < GROUPS_OF_THE_PERSON:
            around[0 if number < OWNED_BY_THE_PERSON else 1] = person
        inside, outside = around[:-2], around[-2:]
        owners.append(Ownership(group=group, user=inside[0]))
        members += [Membership(group=group, user=user) for user in inside]
        invitees += [Invitation(group=group, user=user) for user in outside]
        participants += [Participant(group=group, user=user) for user in inside[:3]]
        activities += [
            Activity(
                group=group,
                user=chance.choice(inside),
                activity="started a call",
                created_at=BEGINNING + timedelta(minutes=chance.randrange(500_000)),
            )
            for _ in range(ACTIVITIES)
        ]
    Ownership.objects.bulk_create(owners)
    Membership.objects.bulk_create(members)
    Invitation.objects.bulk_create(invitees)
    Participant.objects.bulk_create(participants)
    Activity.objects.bulk_create(activities)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as its autovacuum would have done by the time anybody calls
    print(json.dumps({"person": person.pk, "group": groups[0].pk}))
