"""What follows a sign-up: the Stripe customer, opened before the answer is written."""

from typing import Any

from billing.cards import ensure_customer
from core.vendors import best_effort
from users.models import User
from users.signals import signed_up


def create_customer(sender: type[User], user: User, **kwargs: Any) -> None:
    """Stripe down is no reason to turn a person away: the first billing use opens the customer then."""
    with best_effort(f"open a Stripe customer for person {user.pk}"):
        ensure_customer(user)


def connect() -> None:
    signed_up.connect(create_customer, dispatch_uid="billing.create_customer")
