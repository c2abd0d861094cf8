"""The cards on file, and the one that a person pays with. Stripe keeps them; what may be shown is kept here too."""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone
from rest_framework.exceptions import NotFound

from billing.gateway.interface import (
    CustomerGone,
    DeletedCustomer,
    DetachedPaymentMethod,
    PaymentMethod,
    payments,
)
from billing.models import Card, FormerCustomer
from billing.refused_cards import counting_refusals
from core.transactions import atomic_and_retried, lock_rows
from users.models import User, VendorDeletion
from users.vendor_deletions import delete_at_vendor

logger = logging.getLogger(__name__)


def ensure_customer(user: User) -> str:
    """Stripe's id of the person, opened now where signing up could not.

    Two requests at once open one customer: the key is the same. Stripe keeps even a failure under its key, so an hour
    later, under another name, or after a customer that was deleted, it is another one.
    """
    if user.stripe_id:
        return user.stripe_id
    who = f"{user.pk} {user.created_at.isoformat()} {user.email} {user.display_name} {timezone.now():%Y-%m-%d %H}"
    who += f" {user.former_customers.count()}"
    key = f"customer-{hashlib.blake2b(who.encode(), digest_size=16).hexdigest()}"
    customer = payments().create_customer(email=user.email, name=user.display_name, key=key)
    User.objects.filter(pk=user.pk, stripe_id=None).update(stripe_id=customer)
    try:
        user.refresh_from_db(fields=["stripe_id"])
    except User.DoesNotExist:  # deleted a moment ago
        delete_at_vendor(VendorDeletion.Kind.CUSTOMER, [customer])
        raise NotFound from None
    return user.stripe_id or customer  # which is gone again where there is none by now, as Stripe will say


@contextmanager
def forgetting(customer: str) -> Iterator[None]:
    """Forgets the customer at once where Stripe says inside that it is gone. Raises CustomerGone then."""
    try:
        yield
    except CustomerGone:
        forget_customer(DeletedCustomer(customer))
        raise


def attach(*, user: User, source: str, key: str = "") -> PaymentMethod:
    """Puts a card on file; it becomes the default one where there was none. The same key does it once.

    Raises CustomerGone.
    """
    customer = ensure_customer(user)
    with forgetting(customer):
        default = payments().default_card(customer=customer)
        with counting_refusals(user=user, customer=customer):
            card = payments().attach_card(customer=customer, source=source, key=key)
        if default is None:
            payments().make_default(customer=customer, card=card)
            default = card
    keep(user, card, default=default)
    return card


def make_default(*, user: User, source: str, key: str = "") -> PaymentMethod:
    """Puts a card on file, where it is not yet, and pays with it from now on. The same key does it once.

    Raises CustomerGone.
    """
    customer = ensure_customer(user)
    with forgetting(customer):
        with counting_refusals(user=user, customer=customer):
            card = payments().attach_card(customer=customer, source=source, key=key)
        payments().make_default(customer=customer, card=card)
    keep(user, card, default=card)
    return card


def replace_default(*, user: User, source: str, key: str = "") -> PaymentMethod:
    """As `make_default`; a person whose customer is gone at Stripe gets a new one for it."""
    try:
        return make_default(user=user, source=source, key=key)
    except CustomerGone:
        user.refresh_from_db(fields=["stripe_id"])
        return make_default(user=user, source=source, key=key)


def default_card(user: User) -> PaymentMethod | None:
    """The card that is charged, as Stripe has it; where it has none, none is shown. Raises CustomerGone."""
    customer = user.stripe_id or ""
    with forgetting(customer):
        card = payments().default_card(customer=customer)
    if card is None:
        forget_default(user)
    return card


def total_charged(user: User) -> int:
    """What came of the person's payments at Stripe, in cents, less what was refunded. Raises CustomerGone."""
    customer = user.stripe_id or ""
    with forgetting(customer):
        return payments().total_charged(customer=customer)


@atomic_and_retried
def keep(user: User, card: PaymentMethod, *, default: PaymentMethod) -> None:
    """Under the person's lock: of two that become the default at once the later one is."""
    lock_person(user.pk)
    user.cards.update(is_default=False)
    for each in {card.id: card, default.id: default}.values():
        fields = {"user": user, "is_default": each.id == default.id, **shown(each)}
        Card.objects.update_or_create(pk=each.id, defaults=fields)
    User.objects.filter(pk=user.pk).update(last4=default.last4)


def shown(card: PaymentMethod) -> dict[str, str | int]:
    return {"brand": card.brand, "last4": card.last4, "exp_month": card.exp_month, "exp_year": card.exp_year}


def lock_person(user_id: int) -> None:
    """Whoever changes a card locks its person first: a person's end and a new default change several."""
    lock_rows(User.objects.filter(pk=user_id).only("pk"))


def lock_owner(card_id: str) -> Card | None:
    """The card, its person locked; None where it is not on file."""
    for known in Card.objects.filter(pk=card_id):
        lock_person(known.user_id)
    return Card.objects.filter(pk=card_id).first()


@atomic_and_retried
def update_card(card: PaymentMethod) -> None:
    """The bank has sent its owner a new card: another number, another date, the same card on file."""
    if known := lock_owner(card.id):
        Card.objects.filter(pk=card.id).update(**shown(card))
        if known.is_default:
            User.objects.filter(pk=known.user_id).update(last4=card.last4)


@atomic_and_retried
def forget_card(card: DetachedPaymentMethod) -> None:
    """It was taken off the file at Stripe. Whoever paid with it has no card until they add one."""
    if known := lock_owner(card.id):
        known.delete()
        if known.is_default:
            User.objects.filter(pk=known.user_id).update(last4=None)


@atomic_and_retried
def forget_default(user: User) -> None:
    """There is none at Stripe any more. Four digits that a client has set stay: they were no card's of ours."""
    lock_person(user.pk)
    if user.cards.filter(is_default=True).update(is_default=False):
        User.objects.filter(pk=user.pk).update(last4=None)


@atomic_and_retried
def forget_customer(customer: DeletedCustomer) -> None:
    """It is gone at Stripe, with its cards: the next need opens a new one. What it paid stays in the ledger."""
    for user in lock_rows(User.objects.filter(stripe_id=customer.id)):
        logger.warning("Stripe customer of person %s is gone", user.pk)
        FormerCustomer.objects.get_or_create(pk=customer.id, defaults={"user": user})
        user.cards.all().delete()
        User.objects.filter(pk=user.pk).update(stripe_id=None, last4=None)
