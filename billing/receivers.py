"""What follows a sign-up: the Stripe customer, opened before the answer is written."""

import logging
from typing import Any

from rest_framework.exceptions import APIException

from billing.cards import ensure_customer
from users.models import User
from users.signals import signed_up

logger = logging.getLogger(__name__)


def open_customer(sender: type[User], user: User, **kwargs: Any) -> None:
    """Stripe down is no reason to turn a person away: the first billing use opens the customer then."""
    try:
        ensure_customer(user)
    except APIException as error:
        logger.warning("No Stripe customer yet for person %s: %s", user.pk, error)


def connect() -> None:
    signed_up.connect(open_customer, dispatch_uid="billing.open_customer")
