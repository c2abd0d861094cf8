"""What is at Stripe and what happens there: in the dashboard, at a bank, in the operator's account."""

from tests.doubles.server import Answer, Double
from tests.doubles.stripe_objects import (
    Thing,
    new_charge,
    new_dispute,
    new_intent,
    new_movement,
    new_payment_method,
    new_refund,
)


class StripeSide(Double):
    """Its books, and what happens to them without the API."""

    def __init__(self) -> None:
        super().__init__()
        self.customers: dict[str, Thing] = {}
        self.methods: dict[str, Thing] = {}
        self.intents: dict[str, Thing] = {}
        self.charges: dict[str, Thing] = {}
        self.refunds: dict[str, Thing] = {}
        self.disputes: dict[str, Thing] = {}
        self.tokens: dict[str, str] = {}
        self.keys: dict[str, tuple[tuple[str, bytes], Answer]] = {}
        self.spent: set[str] = set()
        """Payment methods that were detached."""
        self.refusal: Answer | None = None
        """What it answers to everything, as when the operator's key has expired."""

    @property
    def books(self) -> list[int]:
        """What was really taken from cards, in cents, less what was given back."""
        paid = [each for each in self.charges.values() if each["paid"] and each["captured"]]
        return [each["amount"] - each["amount_refunded"] for each in paid]

    @property
    def moved(self) -> int:
        """What our Stripe account holds by payments, refunds and disputes, in cents, without fees."""
        moved = [each for one in self.disputes.values() for each in one["balance_transactions"]]
        return sum(self.books) + sum(round(each["amount"] / (each["exchange_rate"] or 1)) for each in moved)

    def token(self, kind: str) -> str:
        """A token as Stripe's own form makes it: good for one use."""
        token = f"tok_{len(self.tokens) + 1:014d}"
        self.tokens[token] = kind
        return token

    def old_card(self, prefix: str, *, customer: str | None = None, kind: str = "visa") -> str:
        """A card_ or src_ from before PaymentMethods; a customer's is the default_source too."""
        method = self._keep(self.methods, new_payment_method(kind, prefix, customer))
        if customer:
            self.customers[customer]["default_source"] = method["id"]
        return str(method["id"])

    def charged_before(
        self, customer: str, *, cents: int, refunded: int = 0, succeeded: bool = True, currency: str = "usd"
    ) -> Thing:
        intent = self._keep(self.intents, {**new_intent(cents, customer, "pm_old", {}, ""), "currency": currency})
        charge = self._keep(self.charges, new_charge(intent, succeeded=succeeded))
        charge.update(amount_refunded=refunded, refunded=refunded == cents)
        return intent

    def authorised(self, intent: str) -> Thing:
        """The operator has set their account so that payments are only reserved until somebody captures them."""
        found, charge = self.intents[intent], self._charge_of(intent)
        found.update(status="requires_capture", amount_received=0, amount_capturable=found["amount"])
        charge.update(captured=False, amount_captured=0)
        return found

    def captured(self, intent: str, cents: int) -> Thing:
        """The rest is let go of, which looks like a refund that has moved no money."""
        found, charge = self.intents[intent], self._charge_of(intent)
        found.update(status="succeeded", amount_received=cents, amount_capturable=0)
        charge.update(captured=True, amount_captured=cents)
        if cents < found["amount"]:
            self.refunded(intent, found["amount"] - cents)["balance_transaction"] = None
        return found

    def delete_customer(self, customer: str) -> Thing:
        """In the dashboard. https://docs.stripe.com/api/customers/delete"""
        for method in [each for each in self.methods.values() if each["customer"] == customer]:
            self.detach(method["id"])
        deleted = self.customers[customer]
        self.customers[customer] = {"id": customer, "object": "customer", "deleted": True}
        return deleted

    def detach(self, method: str) -> Thing:
        """It can never be used again. https://docs.stripe.com/api/payment_methods/detach"""
        found = self.methods[method]
        owner = self.customers[found["customer"]]
        if owner["invoice_settings"]["default_payment_method"] == method:
            owner["invoice_settings"]["default_payment_method"] = None
        self.spent.add(method)
        found["customer"] = None
        return found

    def make_default(self, customer: str, method: Thing) -> None:
        """Another of the operator's products, or a form of Stripe's, lets its owner choose."""
        self._keep(self.methods, method)
        self.customers[customer]["invoice_settings"]["default_payment_method"] = method["id"]

    def refunded(
        self, intent: str, cents: int, *, status: str = "succeeded", metadata: dict[str, str] | None = None
    ) -> Thing:
        """Somebody gives money back in Stripe's dashboard; with metadata it is we who asked for it."""
        charge = self._charge_of(intent)
        refund = self._keep(self.refunds, new_refund(charge, cents, metadata or {}))
        charge["amount_refunded"] += cents
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        return self.refund_becomes(refund["id"], status)

    def refund_becomes(self, refund: str, status: str) -> Thing:
        found = self.refunds[refund]
        if status in ("failed", "canceled") and found["status"] not in ("failed", "canceled"):
            charge = self.charges[found["charge"]]
            charge.update(amount_refunded=charge["amount_refunded"] - found["amount"], refunded=False)
        found["status"] = status
        return found

    def disputed(
        self, intent: str, *, status: str = "needs_response", into: str = "usd", rate: float = 1.0, part: float = 1.0
    ) -> Thing:
        """The card's owner objects. An inquiry (`warning_needs_response`) moves no money.

        `into` is the currency of the operator's Stripe account, and `part` what of it was withdrawn.
        """
        dispute = self._keep(self.disputes, new_dispute(self._charge_of(intent), status))
        if not status.startswith("warning_"):
            self.moves(dispute, -round(dispute["amount"] * rate * part), into=into, rate=rate)
        return dispute

    def moves(self, dispute: Thing, amount: int, *, into: str = "usd", rate: float = 1.0) -> None:
        movement = new_movement(dispute, amount, 1500, currency=into, rate=None if into == "usd" else rate)
        dispute["balance_transactions"].append(movement)

    def inquiry_becomes_dispute(self, dispute: str) -> Thing:
        """The card's owner is not content with the answer: now the money is withdrawn."""
        found = self.disputes[dispute]
        found["status"] = "needs_response"
        self.moves(found, -found["amount"])
        return found

    def dispute_ends(self, dispute: str, status: str) -> Thing:
        found = self.disputes[dispute]
        found["status"] = status
        if status == "won":
            left = found["balance_transactions"][0]
            self.moves(found, -left["amount"], into=left["currency"], rate=left["exchange_rate"] or 1.0)
        return found

    def consent(self, intent: str) -> None:
        """The card's owner confirms the payment with the bank."""
        self._take(self.intents[intent])

    # Its inside

    def _charge_of(self, intent: str) -> Thing:
        return next(each for each in self.charges.values() if each["payment_intent"] == intent and each["paid"])

    def _keep(self, things: dict[str, Thing], thing: Thing) -> Thing:
        return things.setdefault(thing["id"], thing)

    def _take(self, intent: Thing) -> Thing:
        charge = self._keep(self.charges, new_charge(intent, succeeded=True))
        intent.update(status="succeeded", amount_received=intent["amount"], latest_charge=charge["id"])
        return intent
