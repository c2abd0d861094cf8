"""Signing people up, and deleting."""

from django.db import IntegrityError, transaction
from django.db.models import Model

from users.models import User
from users.signals import signed_up

MOST_TRIES = 5


def sign_up(*, email: str, display_name: str, avatar: str | None) -> tuple[User, bool]:
    """The person with this email, and whether they are new. Someone known is given back unchanged."""
    known = User.objects.with_email(email).first()
    if known:
        return known, False
    try:
        with transaction.atomic():
            user = User.objects.create(email=email, display_name=display_name, avatar=avatar)
    except IntegrityError:
        known = User.objects.with_email(email).first()
        if known is None:
            raise
        return known, False  # the same person signed up at the same moment
    signed_up.send(sender=User, user=user)
    user.refresh_from_db()
    return user, True


def delete_row(row: Model) -> None:
    """Deletes a row with all that hangs on it, also where something is hung on it at the same moment.

    Django collects what goes along first: what comes later is a foreign key's error at the end, and collected then.
    """
    for _ in range(MOST_TRIES - 1):
        try:
            with transaction.atomic():
                row.delete()
                return
        except IntegrityError:
            row.refresh_from_db()
    row.delete()
