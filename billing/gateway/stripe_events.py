"""Stripe's webhook events. https://docs.stripe.com/api/events/object

An event whose signature is right is never refused: what cannot be read of it is said in its `about`.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from billing.gateway.interface import (
    DeletedCustomer,
    DetachedPaymentMethod,
    Foreign,
    RefundedCharge,
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
    text,
)

Keys = dict[str, Any]
"""Names of keys, each with the keys that are kept inside it, or None."""

PAYMENT: Keys = {
    **dict.fromkeys(("id", "amount", "amount_received", "client_secret", "currency", "status")),
    "last_payment_error": {"message": None},
    "metadata": {"topUp": None},
}
REFUND: Keys = {
    **dict.fromkeys(("id", "amount", "balance_transaction", "currency", "payment_intent", "status")),
    "metadata": {"request": None},
}
DISPUTE: Keys = {
    **dict.fromkeys(("id", "amount", "currency", "payment_intent", "status")),
    "balance_transactions": dict.fromkeys(("amount", "currency", "exchange_rate")),
}
CARD: Keys = {
    **dict.fromkeys(("id", "type")),
    "card": dict.fromkeys(("brand", "last4", "exp_month", "exp_year")),
}
ID_ALONE: Keys = {"id": None}
ENVELOPE: Keys = {
    **dict.fromkeys(("id", "type", "object", "account", "context", "livemode", "api_version")),
    "related_object": dict.fromkeys(("id", "type", "url")),
}
THIN = "v2.core.event"
NO_EVENT = "not an event"
LONGEST_ID, LONGEST_TYPE = 255, 100


def event_of_body(body: str, *, livemode: bool | None) -> WebhookEvent:
    """What Stripe has signed; where that is no event, it is kept under an id of its own."""
    try:
        payload = storable(json.loads(body))
        if is_event(payload):
            return event_of(payload, livemode=livemode)
    except (ValueError, RecursionError):
        pass
    name = hashlib.blake2b(body.encode(errors="replace"), digest_size=16).hexdigest()
    return no_event(f"unreadable_{name}", {"length": len(body)})


def event_of_payload(payload: Mapping[str, Any], *, name: str, livemode: bool | None) -> WebhookEvent:
    return event_of(payload, livemode=livemode) if is_event(payload) else no_event(name, payload)


def is_event(payload: Any) -> bool:
    named = isinstance(payload, Mapping) and 0 < len(id_of(payload)) <= LONGEST_ID
    return named and isinstance(payload.get("type"), str) and payload["type"] != ""


def no_event(name: str, payload: Mapping[str, Any]) -> WebhookEvent:
    return WebhookEvent(name, NO_EVENT, payload, Unread(NO_EVENT, "", "it has no id and type, as events have"))


def event_of(payload: Mapping[str, Any], *, livemode: bool | None) -> WebhookEvent:
    """It is read as it will be kept, so that it says the same whenever it is read again."""
    kind, payload = payload["type"], stripped(payload)
    version = payload.get("api_version")
    return WebhookEvent(
        id=payload["id"],
        type=kind[:LONGEST_TYPE],
        payload=payload,
        about=about(payload, kind.removeprefix("v1."), livemode=livemode),
        api_version=version[:LONGEST_TYPE] if isinstance(version, str) else "",
    )


def stripped(payload: Thing) -> dict[str, Any]:
    """What of an event is kept: whom it names is nothing that anything follows from."""
    followed = FOLLOWED_EVENTS.get(payload["type"].removeprefix("v1."))
    thing = inside(payload, "data").get("object")
    return {**kept(payload, ENVELOPE), **({"data": {"object": kept(thing, followed.keys)}} if followed else {})}


def kept(thing: Any, keys: Keys | None) -> Any:
    """These keys of a thing, or of each in a list. What is expanded, or no plain value, is kept by its id alone."""
    if isinstance(thing, list):
        return [kept(each, keys) for each in thing]
    if not isinstance(thing, Mapping):
        return thing
    return {key: kept(thing[key], inner) for key, inner in (keys or ID_ALONE).items() if key in thing}


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
        return FOLLOWED_EVENTS[kind].read(thing)
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


class Followed(NamedTuple):
    read: Callable[[Thing], Subject]
    keys: Keys
    """All that `read` looks at, and so all that is kept of such an event's object."""


FOLLOWED_EVENTS = {
    "payment_intent.succeeded": Followed(read_payment, PAYMENT),
    "payment_intent.payment_failed": Followed(read_payment, PAYMENT),
    "refund.created": Followed(read_refund, REFUND),
    "refund.updated": Followed(read_refund, REFUND),
    "refund.failed": Followed(read_refund, REFUND),
    "charge.refunded": Followed(lambda charge: RefundedCharge(text(charge, "id")), ID_ALONE),
    "charge.dispute.created": Followed(read_dispute, DISPUTE),
    "charge.dispute.updated": Followed(read_dispute, DISPUTE),
    WITHDRAWN: Followed(partial(read_dispute, told_by=WITHDRAWN), DISPUTE),
    REINSTATED: Followed(partial(read_dispute, told_by=REINSTATED), DISPUTE),
    "charge.dispute.closed": Followed(read_dispute, DISPUTE),
    "payment_method.updated": Followed(read_card, CARD),
    "payment_method.automatically_updated": Followed(read_card, CARD),
    "payment_method.detached": Followed(lambda method: DetachedPaymentMethod(text(method, "id")), ID_ALONE),
    "customer.deleted": Followed(lambda customer: DeletedCustomer(text(customer, "id")), ID_ALONE),
}
"""The events from which something follows. docs/operating.md lists them for Stripe's dashboard."""
