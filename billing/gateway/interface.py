"""What payments are to this project. `stripe_payments.py` and `sandbox_payments.py` are two of them.

Every amount is in whole cents: of a US dollar, but where a `currency` beside it says otherwise.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.conf import settings
from rest_framework.exceptions import APIException, NotFound

from core.vendors import vendor

CURRENCY = "usd"
"""The ledger's. What is paid in another one is never posted: nobody here knows what it is worth."""


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    id: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int


@dataclass(frozen=True, slots=True)
class Payment:
    """`status` is one of Stripe's: https://docs.stripe.com/payments/paymentintents/lifecycle"""

    id: str
    amount_cents: int
    currency: str
    status: str
    client_secret: str = ""
    message: str = ""
    """Why the card said no, where it did."""
    top_up: str = ""
    """The id that we gave it; empty for a payment that is not ours."""
    received_cents: int = 0
    """What came of it: nothing before it succeeds, and less than its amount where less was captured."""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money on its way back to the card. https://docs.stripe.com/api/refunds/object"""

    id: str
    payment: str
    amount_cents: int
    status: str
    currency: str = CURRENCY
    is_booked: bool = True
    """Whether it has moved money of our account's. What is let go of an authorisation looks like a refund, too."""
    request: str = ""
    """The key of an operator's own; empty for one that was made in the vendor's dashboard."""

    @property
    def came_back(self) -> bool:
        """The card did not take it, and the money is ours again."""
        return self.status in ("failed", "canceled")


@dataclass(frozen=True, slots=True)
class DisputeReport:
    """A cardholder's objection. https://docs.stripe.com/api/disputes/object

    `withdrawn_cents` and `reinstated_cents` are what it has moved so far of the disputed amount, in that amount's
    currency whatever the operator's is, and without the fee, which is the operator's. An inquiry (its status begins
    with `warning_`) moves nothing.
    """

    id: str
    payment: str
    amount_cents: int
    status: str
    withdrawn_cents: int
    reinstated_cents: int
    currency: str = CURRENCY


@dataclass(frozen=True, slots=True)
class RefundedCharge:
    """A charge of which something was refunded; its refunds must be asked for, and name their payment."""

    id: str


@dataclass(frozen=True, slots=True)
class DetachedPaymentMethod:
    id: str


@dataclass(frozen=True, slots=True)
class DeletedCustomer:
    id: str


@dataclass(frozen=True, slots=True)
class Unread:
    """What cannot be read as it came; where it has an id, Stripe can be asked for it.

    A thin event says no more than an id: https://docs.stripe.com/event-destinations
    """

    type: str
    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """What our key does not see: another account's, or live things where the key is for tests."""

    reason: str


Subject = Payment | Refund | DisputeReport | RefundedCharge | PaymentMethod | DetachedPaymentMethod | DeletedCustomer


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A webhook event. `about` is None where it is about nothing that concerns us."""

    id: str
    type: str
    payload: Mapping[str, Any]
    about: Subject | Unread | Foreign | None
    api_version: str = ""
    """How its object is written; empty where it does not say. https://docs.stripe.com/api/versioning"""


class Payments(Protocol):
    """`source` is what clients call a card: tok_…, src_…, card_… or pm_…. A `key` makes a repeated call harmless.

    Anything may raise PaymentsUnavailable or PaymentsMisconfigured, and what names a customer CustomerGone.
    """

    name: str
    api_version: str
    """How what is asked is answered; empty where there are no versions."""

    def create_customer(self, *, email: str, name: str, key: str) -> str:
        """The new customer's id."""

    def delete_customer(self, *, customer: str) -> None:
        """For good, with the cards. Raises CustomerGone for one that does not exist."""

    def attach_card(self, *, customer: str, source: str, key: str = "") -> PaymentMethod:
        """Puts a card on file. Of a token, which is used up by it, the same key gives the same card again.

        Raises CardDeclined, UnknownSource.
        """

    def default_card(self, *, customer: str) -> PaymentMethod | None:
        """The card that is charged. None too where the default is gone, another customer's, or no card (Link)."""

    def make_default(self, *, customer: str, card: PaymentMethod) -> None: ...

    def charge(self, *, customer: str, source: str, amount_cents: int, top_up: str) -> Payment:
        """Charges a card on file, or the default one where `source` is "".

        `top_up` is the idempotency key, and finds the payment again. Raises CardDeclined, NoCard, UnknownSource,
        and IdempotencyConflict where the top-up's key was used for something else.
        """

    def find_payment(self, *, customer: str, top_up: str, since: datetime | None = None) -> Payment | None:
        """A top-up's. Of a customer who is gone, or "", it is looked for among all from `since` on."""

    def retrieve_payment(self, *, payment: str) -> Payment:
        """Raises UnknownSource for one that does not exist."""

    def create_refund(self, *, payment: str, amount_cents: int, key: str) -> Refund:
        """Gives money back to the card. Raises RefundRefused. `key` makes a repeated call harmless."""

    def refunds(self, *, charge: str) -> list[Refund]: ...

    def retrieve_refund(self, *, refund: str) -> Refund:
        """Raises UnknownSource for one that does not exist."""

    def retrieve_dispute(self, *, dispute: str) -> DisputeReport:
        """Raises UnknownSource for one that does not exist."""

    def payments_since(self, time: datetime) -> Iterator[Payment]:
        """All that were made since then, whatever became of them, the newest first."""

    def refunds_since(self, time: datetime) -> Iterator[Refund]: ...

    def disputes_since(self, time: datetime) -> Iterator[DisputeReport]: ...

    def cancel(self, *, payment: str) -> Payment:
        """Cancels a payment that waits for consent; one that went through meanwhile comes back as it is."""

    def total_charged(self, *, customer: str) -> int:
        """What was received of the customer in dollars, less what was refunded."""

    def construct_event(self, *, body: bytes, signature: str) -> WebhookEvent:
        """The webhook event, once its signature is proved, whatever it says. Raises SignatureVerificationError."""

    def event_from_payload(self, payload: Mapping[str, Any], *, name: str = "") -> WebhookEvent:
        """An event that was read before, from what was kept of it; `name` is the id under which that was."""

    def retrieve(self, thing: Unread) -> Subject | None:
        """Asks for what an event did not tell; None where nothing follows. Raises UnknownSource."""


class CardDeclined(APIException):
    """The bank says no; `detail` is its sentence."""

    status_code = 402
    default_code = "card_declined"
    default_detail = "The card was declined."


class NoCard(CardDeclined):
    default_code = "no_card"
    default_detail = "There is no card on file. Add one first."


class UnknownSource(NotFound):
    default_code = "source_not_found"
    default_detail = "There is no such card. Enter it again."


class CustomerGone(NotFound):
    """The customer was deleted at Stripe, or is of another account or mode."""

    default_code = "customer_gone"
    default_detail = (
        "This Stripe id is of a customer that is gone. Load the person again (GET /api/users/:id) and use the stripeId "
        "that is there; where it is null, POST /api/billing/updateCreditCard with their userId opens a new one."
    )


class UnusableSource(APIException):
    status_code = 400
    default_code = "source_unusable"


class RefundRefused(APIException):
    status_code = 409
    default_code = "refund_refused"


class SignatureVerificationError(APIException):
    status_code = 400
    default_code = "signature_invalid"


class PaymentsUnavailable(APIException):
    status_code = 503
    default_code = "payments_unavailable"
    default_detail = "The payment service does not answer. Nothing is lost and nothing is charged twice: try again."
    wait = 10
    is_outage = True
    """Whether others would get no answer either."""


class PaymentsMisconfigured(PaymentsUnavailable):
    """Stripe refuses what the operator has set up. In Stripe's own words it is in the admin, among the notices."""

    default_code = "payments_misconfigured"
    default_detail = "Payments are not possible at the moment; nothing was charged. The operators have been told."
    wait = 300


class IdempotencyConflict(PaymentsMisconfigured):
    """The key came with other parameters before, as after a deploy. https://docs.stripe.com/api/idempotent_requests"""


def payments() -> Payments:
    """The implementation that the settings name. Raises NotConfigured where there is none."""
    off = "Payments are switched off here: the operator must set SK_TEST."
    backend: Payments = vendor(settings.PAYMENTS, off=off)
    return backend
