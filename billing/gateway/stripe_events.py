"""Stripe's webhook events. https://docs.stripe.com/api/events/object

An event whose signature is right is never refused: what cannot be read of it is said in its `about`.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from billing.gateway.interface import (
    DeletedCustomer,
    DetachedPaymentMethod,
    Foreign,
    Subject,
    Unread,
    UnusableSource,
    WebhookEvent,
)
from billing.gateway.stripe_objects import (
    REINSTATED,
    WITHDRAWN,
    Thing,
    Unreadable,
    id_of,
    inside,
    read_card,
    read_dispute,
    read_payment,
    read_refund,
    read_refunded_charge,
    text,
)

THIN = "v2.core.event"
NO_EVENT = "not an event"
LONGEST_ID, LONGEST_TYPE, MOST_KEPT = 255, 100, 2_000


def event_of_body(body: str, *, livemode: bool | None) -> WebhookEvent:
    """What Stripe has signed; where that is no event, it is kept under an id of its own."""
    try:
        payload = storable(json.loads(body))
        if is_event(payload):
            return event_of(payload, livemode=livemode)
    except (ValueError, RecursionError):
        pass
    name = hashlib.blake2b(body.encode(errors="replace"), digest_size=16).hexdigest()
    return no_event(f"unreadable_{name}", {"body": storable(body[:MOST_KEPT])})


def event_of_payload(payload: Mapping[str, Any], *, name: str, livemode: bool | None) -> WebhookEvent:
    return event_of(payload, livemode=livemode) if is_event(payload) else no_event(name, payload)


def is_event(payload: Any) -> bool:
    named = isinstance(payload, Mapping) and 0 < len(id_of(payload)) <= LONGEST_ID
    return named and isinstance(payload.get("type"), str) and payload["type"] != ""


def no_event(name: str, payload: Mapping[str, Any]) -> WebhookEvent:
    return WebhookEvent(name, NO_EVENT, payload, Unread(NO_EVENT, "", "it has no id and type, as events have"))


def event_of(payload: Mapping[str, Any], *, livemode: bool | None) -> WebhookEvent:
    kind = payload["type"]
    version = payload.get("api_version")
    return WebhookEvent(
        id=payload["id"],
        type=kind[:LONGEST_TYPE],
        payload=payload,
        about=about(payload, kind.removeprefix("v1."), livemode=livemode),
        api_version=version[:LONGEST_TYPE] if isinstance(version, str) else "",
    )


def about(payload: Thing, kind: str, *, livemode: bool | None) -> Subject | Unread | Foreign | None:
    """What an event says, if it is of a kind that we follow."""
    if kind not in FOLLOWED_EVENTS:
        return None
    if account := payload.get("account") or payload.get("context"):
        return Foreign(f"It is of another account of Stripe's: {account}.")
    if isinstance(payload.get("livemode"), bool) and livemode not in (None, payload["livemode"]):
        return Foreign(f"It is of {'live' if payload['livemode'] else 'test'} mode, and SK_TEST is of the other one.")
    if payload.get("object") == THIN:
        return Unread(kind, id_of(inside(payload, "related_object")), "a thin event says no more than an id")
    thing = inside(inside(payload, "data"), "object")
    try:
        return FOLLOWED_EVENTS[kind](thing)
    except UnusableSource:  # Link and its like: only cards are kept here
        return None
    except Unreadable as error:
        return Unread(kind, id_of(thing), str(error))


def storable(value: Any) -> Any:
    """JSON that both databases take: PostgreSQL's has no NUL, no half of a character, and no number beyond numbers."""
    if isinstance(value, str):
        return value.replace("\0", "").encode(errors="replace").decode()
    if isinstance(value, dict):
        return {storable(key): storable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [storable(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


FOLLOWED_EVENTS: dict[str, Callable[[Thing], Subject]] = {
    "payment_intent.succeeded": read_payment,
    "payment_intent.payment_failed": read_payment,
    "refund.created": read_refund,
    "refund.updated": read_refund,
    "refund.failed": read_refund,
    "charge.refunded": read_refunded_charge,
    "charge.dispute.created": read_dispute,
    "charge.dispute.updated": read_dispute,
    WITHDRAWN: partial(read_dispute, told_by=WITHDRAWN),
    REINSTATED: partial(read_dispute, told_by=REINSTATED),
    "charge.dispute.closed": read_dispute,
    "payment_method.updated": read_card,
    "payment_method.automatically_updated": read_card,
    "payment_method.detached": lambda method: DetachedPaymentMethod(text(method, "id")),
    "customer.deleted": lambda customer: DeletedCustomer(text(customer, "id")),
}
"""The events from which something follows. docs/operating.md lists them for Stripe's dashboard."""
