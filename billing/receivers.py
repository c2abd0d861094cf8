"""What follows a sign-up: the Stripe customer, opened before the answer is written; and the end of a person."""

import logging
from typing import Any

from django.db.models import QuerySet
from django.db.models.signals import pre_delete
from django_tasks import task
from rest_framework.exceptions import APIException

from billing.cards import ensure_customer
from billing.erasing import delete_customer, forget_person
from billing.telling import is_still_low, is_still_to_expire
from core.vendors import NotConfigured
from groups.notifications.models import Notice
from groups.notifications.notices.asking import is_still_so
from users.erasing import goers
from users.models import User, VendorDeletion
from users.signals import signed_up
from users.vendor_deletions import tellers

logger = logging.getLogger(__name__)


def create_customer(sender: type[User], user: User, **kwargs: Any) -> None:
    """Stripe down is no reason to turn a person away: a job opens the customer then, or the first billing use."""
    try:
        ensure_customer(user)
    except NotConfigured:
        return
    except APIException as error:
        logger.warning("Could not open a Stripe customer for person %s: %s", user.pk, type(error).__name__)
        open_customer.enqueue(user.pk)


@task
def open_customer(person_id: int) -> None:
    """Opens the person's customer, where there is none yet. Raises where Stripe fails."""
    for person in User.objects.filter(pk=person_id, stripe_id=None):
        ensure_customer(person)


def forget(sender: type[User], instance: User, origin: User | QuerySet[User], **kwargs: Any) -> None:
    forget_person(instance, goers(instance, origin))


def connect() -> None:
    signed_up.connect(create_customer, dispatch_uid="billing.create_customer")
    pre_delete.connect(forget, sender=User, dispatch_uid="billing.forget")
    is_still_so[Notice.Kind.LOW] = is_still_low
    is_still_so[Notice.Kind.CARD] = is_still_to_expire
    tellers[VendorDeletion.Kind.CUSTOMER] = delete_customer
