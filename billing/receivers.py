"""What follows a sign-up: the Stripe customer, opened before the answer is written."""

from typing import Any

from billing.cards import ensure_customer
from users.models import User
from users.signals import signed_up
from users.vendors import best_effort


def open_customer(sender: type[User], user: User, **kwargs: Any) -> None:
    """Stripe down is no reason to turn a person away: the first billing use opens the customer then."""
    with best_effort(f"open a Stripe customer for person {user.pk}"):
        ensure_customer(user)


def connect() -> None:
    signed_up.connect(open_customer, dispatch_uid="billing.open_customer")
