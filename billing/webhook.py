"""Stripe's webhook: stored once, applied once, in any order. https://docs.stripe.com/webhooks

Whatever Stripe has signed is stored. Storing and applying are two steps: before some events can be applied Stripe must
be asked, and nothing asks Stripe inside a database transaction. Only where Stripe or the database does not answer is
the event left to its next delivery; what cannot be applied otherwise is kept with the reason, for the operators to see
and for `reconcile_payments` to try again. Were it refused, Stripe would repeat it for days, and then stop telling.
"""

import logging
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError
from django.utils import timezone
from rest_framework.exceptions import APIException

from billing import cards, disputes, refunds, top_ups
from billing.erasing import forget_subject
from billing.gateway.interface import (
    DeletedCustomer,
    DetachedPaymentMethod,
    DisputeReport,
    Foreign,
    Payment,
    PaymentMethod,
    PaymentsMisconfigured,
    PaymentsUnavailable,
    Refund,
    RefundedCharge,
    Subject,
    UnknownSource,
    Unread,
    WebhookEvent,
    payments,
)
from billing.models import StripeEvent
from billing.notices import notify
from core.failpoints import failpoint
from core.transactions import atomic_and_retried

logger = logging.getLogger(__name__)

FOLLOWED: dict[type, Callable[[Any], str | None]] = {
    Payment: top_ups.apply_payment,
    Refund: refunds.apply_refund,
    DisputeReport: disputes.apply_dispute,
    PaymentMethod: cards.update_card,
    DetachedPaymentMethod: cards.forget_card,
    DeletedCustomer: cards.forget_customer,
}
"""What applies a subject, and may say why nothing followed from it."""
OF_A_PERSON = (PaymentMethod, DetachedPaymentMethod, DeletedCustomer)
"""What tells of a customer or a card: once it is applied, nothing of it is kept beside the event."""
INVISIBLE = "Stripe knows no such thing for our key, so nothing follows: it is of a test, or of another account."


class EventNotApplied(APIException):
    """Why an event could not be applied. It is kept."""

    status_code = 503
    default_code = "event_not_applied"


def receive(event: WebhookEvent) -> None:
    """Stores the event and applies it. One that was applied before changes nothing.

    Raises PaymentsUnavailable where Stripe must be asked and does not answer: it then tells again.
    """
    stored, _ = StripeEvent.objects.get_or_create(
        pk=event.id,
        defaults={"type": event.type, "payload": dict(event.payload), "api_version": event.api_version},
    )
    failpoint("after_event")
    if stored.applied_at is not None:
        return
    if warning := version_warning(event.api_version):
        notify("api_version", warning)
    try:
        apply(event)
    except (EventNotApplied, PaymentsMisconfigured) as error:
        logger.warning("Stripe event %s (%s) is kept: %s", event.id, event.type, type(error).__name__)


def apply(event: WebhookEvent) -> None:
    """Raises EventNotApplied, PaymentsUnavailable: why is kept beside the event, which then waits."""
    try:
        apply_once(event.id, *subjects(event))
    except (OperationalError, InterfaceError):
        raise
    except (EventNotApplied, PaymentsUnavailable) as error:
        keep_waiting(event, str(error.detail))
        raise
    except Exception as error:
        logger.exception("Stripe event %s (%s) could not be applied", event.id, event.type)
        reason = f"A fault of ours ({type(error).__name__}), which is in the log."
        keep_waiting(event, reason)
        raise EventNotApplied(reason) from error


@atomic_and_retried
def apply_once(name: str, followed: list[Subject], reason: str) -> None:
    stored = StripeEvent.objects.select_for_update(no_key=True).get(pk=name)
    if stored.applied_at is not None:
        return
    reasons = {reason, *(FOLLOWED[type(subject)](subject) or "" for subject in followed)} - {""}
    stored.applied_at, stored.reason = timezone.now(), " ".join(sorted(reasons))[:500]
    if any(isinstance(subject, OF_A_PERSON) for subject in followed):
        forget_subject(stored)
    stored.save(update_fields=["applied_at", "reason", "payload"])


def keep_waiting(event: WebhookEvent, reason: str) -> None:
    StripeEvent.objects.filter(pk=event.id, applied_at=None).update(reason=reason[:500])


def subjects(event: WebhookEvent) -> tuple[list[Subject], str]:
    """What is to be followed, and why it is nothing where that is no matter of course.

    Money can only go back once it has come: a payment that we missed is finished first.
    """
    about = event.about
    if isinstance(about, Unread):
        about = asked_for(about, event)
    if isinstance(about, Foreign):
        return [], about.reason
    if about is None:
        logger.info("Stored Stripe event %s (%s); nothing follows from it", event.id, event.type)
        return [], ""
    followed: list[Subject] = [about]
    if isinstance(about, RefundedCharge):
        try:
            followed = [*payments().refunds(charge=about.id)]
        except UnknownSource:
            return [], INVISIBLE
    for each in followed:
        if isinstance(each, Refund | DisputeReport):
            top_ups.make_sure_of(each.payment)
    return followed, ""


def asked_for(thing: Unread, event: WebhookEvent) -> Subject | None:
    """What the event did not tell. Raises EventNotApplied where Stripe cannot tell either."""
    try:
        return payments().retrieve(thing)
    except UnknownSource as error:
        version = f" It is of API version {event.api_version}." if event.api_version else ""
        raise EventNotApplied(
            f"It cannot be read: {thing.reason}.{version} Stripe, asked for it, does not know it."
        ) from error


def version_warning(version: str) -> str:
    """What operators should know of an endpoint whose events are written in another API version than ours."""
    ours = payments().api_version
    if not version or not ours or version == ours:
        return ""
    return (
        f"Stripe's webhook endpoint sends events of API version {version}, and this server reads {ours}. Make it anew "
        "with that version: https://docs.stripe.com/webhooks/versioning"
    )


def warning_at_start() -> str:
    """The same, of the newest event that was stored."""
    newest = StripeEvent.objects.exclude(api_version="").order_by("-created_at").values_list("api_version", flat=True)
    return version_warning(newest.first() or "")
