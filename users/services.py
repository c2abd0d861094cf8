"""Signing people up."""

from django.db import IntegrityError, transaction

from users.models import User
from users.signals import signed_up


def sign_up(*, email: str, display_name: str, avatar: str | None) -> tuple[User, bool]:
    """The person with this email, and whether they are new. Someone known is given back unchanged."""
    known = User.objects.with_email(email).first()
    if known:
        return known, False
    try:
        with transaction.atomic():
            user = User.objects.create(email=email, display_name=display_name, avatar=avatar)
    except IntegrityError:  # the same person signed up at the same moment
        return User.objects.with_email(email).get(), False
    signed_up.send(sender=User, user=user)
    user.refresh_from_db()
    return user, True
