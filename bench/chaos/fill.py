"""The people who pay, in a migrated, empty database. Run by `manage.py shell`."""

import json

from users.models import User
from users.sign_in.local_issuer import local_token


def fill(number: int) -> None:
    """Prints their ids and sign-ins, as JSON."""
    people = [User.objects.create(email=f"payer{each}@example.com", display_name="Payer") for each in range(number)]
    print(json.dumps([{"id": person.pk, "token": local_token(person.email, seconds=24 * 3600)} for person in people]))
