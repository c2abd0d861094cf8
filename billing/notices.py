"""What operators should know about payments, and nobody else can do anything about."""

import logging

from django.db import transaction
from django.utils import timezone

from billing.models import PaymentNotice

logger = logging.getLogger(__name__)

NOT_OURS = "It is about no payment of ours."


def notify(cause: str, words: str) -> None:
    """Puts a line into the admin; one for each cause, with its newest words.

    Never fails, whatever the database does: what goes on meanwhile is more important.
    """
    told = {"words": words[:1000], "last_at": timezone.now()}
    try:
        with transaction.atomic():
            PaymentNotice.objects.update_or_create(pk=cause[:255], defaults=told)
    except Exception:
        logger.exception("A notice for operators could not be kept")


def in_other_currency(what: str, name: str, currency: str) -> str:
    """Tells the operators of money in another currency than the ledger's, and says why it was not posted."""
    words = f"The {what} {name} is in {currency.upper()}: it was not posted. See to it in Stripe's dashboard."
    notify(f"currency:{name}", words)
    return words
