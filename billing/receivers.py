"""What follows a sign-up: the Stripe customer, opened before the answer is written; and the end of a person."""

from typing import Any

from django.db.models import QuerySet
from django.db.models.signals import pre_delete

from billing.cards import ensure_customer
from billing.erasing import delete_customer, forget_person
from core.vendors import best_effort
from users.erasing import goers
from users.models import User, VendorDeletion
from users.signals import signed_up
from users.vendor_deletions import tellers


def create_customer(sender: type[User], user: User, **kwargs: Any) -> None:
    """Stripe down is no reason to turn a person away: the first billing use opens the customer then."""
    with best_effort(f"open a Stripe customer for person {user.pk}"):
        ensure_customer(user)


def forget(sender: type[User], instance: User, origin: User | QuerySet[User], **kwargs: Any) -> None:
    forget_person(instance, goers(instance, origin))


def connect() -> None:
    signed_up.connect(create_customer, dispatch_uid="billing.create_customer")
    pre_delete.connect(forget, sender=User, dispatch_uid="billing.forget")
    tellers[VendorDeletion.Kind.CUSTOMER] = delete_customer
