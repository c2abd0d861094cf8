"""Run by `bench.shelf` inside the application: groups of ten with thirty activities each, and people with tokens."""

import json

from django.db import connection

from bench.fill_volume import SERIES
from users.models import User
from users.sign_in.local_issuer import local_token
from users.sign_in.tokens import verify

A_GROUP, ACTIVITIES = 10, 30
STATEMENTS = (
    "INSERT INTO groups (id, name) SELECT i, 'Group ' || i FROM {groups}",
    """INSERT INTO "usersGroupsMembership" ("groupId", "userId")
    SELECT 1 + (i - 1) / {a_group}, 1 + i % {people_count} FROM {places}""",
    """INSERT INTO activities ("groupId", "userId", activity)
    SELECT 1 + (i - 1) / {of_each}, 1 + i % {people_count}, 'started a call' FROM {activities}""",
)


def fill(groups: int, people: int) -> None:
    """Prints the people's tokens, as JSON. The first of them is staff."""
    tokens, rows = [], []
    for number in range(people):
        email = f"person{number}@example.com"
        tokens.append(local_token(email))
        who = verify(tokens[-1])
        rows.append(
            User(
                email=email,
                display_name=f"Person {number}",
                oidc_issuer=who.issuer,
                oidc_subject=who.subject,
                is_staff=number == 0,
            )
        )
    User.objects.bulk_create(rows, batch_size=1_000)
    series = SERIES[connection.vendor]
    values = {"groups": groups, "places": groups * A_GROUP, "activities": groups * ACTIVITIES}
    with connection.cursor() as cursor:
        for statement in STATEMENTS:
            cursor.execute(
                statement.format(
                    **{name: series.format(count=count) for name, count in values.items()},
                    a_group=A_GROUP,
                    of_each=ACTIVITIES,
                    people_count=people,
                )
            )
        cursor.execute("ANALYZE")
    print(json.dumps(tokens))
