"""The card that a person pays with."""

import hashlib

from django.utils import timezone

from billing.payments import Card, payments
from users.models import User


def ensure_customer(user: User) -> str:
    """Stripe's id of the person, opened now where signing up could not.

    Two requests at once open one customer: the key is the same. Stripe keeps even a failure under its key, so an hour
    later, or under another name, it is another one.
    """
    if user.stripe_id:
        return user.stripe_id
    who = f"{user.pk} {user.created_at.isoformat()} {user.email} {user.display_name} {timezone.now():%Y-%m-%d %H}"
    key = f"customer-{hashlib.blake2b(who.encode(), digest_size=16).hexdigest()}"
    customer = payments().open_customer(email=user.email, name=user.display_name, key=key)
    User.objects.filter(pk=user.pk, stripe_id=None).update(stripe_id=customer)
    user.refresh_from_db(fields=["stripe_id"])
    return user.stripe_id or customer


def attach(*, user: User, source: str) -> Card:
    """Puts a card on file; it becomes the default one where there was none."""
    customer = ensure_customer(user)
    had = payments().default_card(customer=customer)
    card = payments().attach_card(customer=customer, source=source)
    if had is None:
        payments().make_default(customer=customer, card=card)
        had = card
    remember(user, had)
    return card


def replace_default(*, user: User, source: str) -> Card:
    """Puts a card on file, where it is not yet, and pays with it from now on."""
    customer = ensure_customer(user)
    card = payments().attach_card(customer=customer, source=source)
    payments().make_default(customer=customer, card=card)
    remember(user, card)
    return card


def remember(user: User, card: Card) -> None:
    User.objects.filter(pk=user.pk).update(last4=card.last4)
