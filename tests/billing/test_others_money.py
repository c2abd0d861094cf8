"""Whatever becomes of one person's money and cards, another's who has the same of everything stay as they are."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db.models import Q
from django.utils import timezone

from billing.cards import attach, replace_default
from billing.ledger import account_of
from billing.models import Card, CardRefusal, Dispute, FormerCustomer, LedgerEntry, RefundRequest, TopUp
from billing.refunds import refund
from billing.top_ups import IN_FLIGHT
from groups.models import Group, Ownership
from tests.conftest import person
from tests.doubles.server import Fault
from tests.doubles.stripe import event
from users.models import User
from voice.models import Call


def rows_of(user):
    """All that there is of somebody's money, with the legs that they pay."""
    account = account_of(user)
    hers = Q(account=account)
    return {
        "person": list(User.objects.filter(pk=user.pk).values()),
        **{
            model.__name__: list(model.objects.filter(user=user).values())
            for model in (Card, FormerCustomer, CardRefusal)
        },
        **{model.__name__: list(model.objects.filter(hers).values()) for model in (LedgerEntry, TopUp, Dispute)},
        "RefundRequest": list(RefundRequest.objects.filter(hers).values()),
        "Call": list(Call.objects.filter(payer=account).values()),
    }


@pytest.fixture
def pay(api):
    def pay(user, dollars=20):
        return api.post("/api/billing/addMoney", {"userId": user.pk, "amountToAdd": dollars})

    return pay


@pytest.fixture
def with_everything(stripe_payments, stripe_double, pay, tell, api):
    """Gives somebody cards, a refused one, a payment, a refund of it, one that is under way, a call, a dispute, and a
    payment that waits for consent.
    """

    def give(user):
        replace_default(user=user, source="tok_visa")
        attach(user=user, source="tok_mastercard")
        api.post("/api/billing/updateCreditCard", {"userId": user.pk, "sourceId": "tok_chargeDeclined"})
        pay(user)
        top_up = TopUp.objects.get(account__user=user)
        refund(top_up=top_up, amount_cents=100, key=f"k{user.pk}")
        RefundRequest.objects.create(
            key=f"waits {user.pk}", account=top_up.account, top_up=top_up, amount_cents=100, status="pending"
        )
        group = Group.objects.create(name="Theirs")
        Ownership.objects.create(group=group, user=user)
        Call.objects.create(sid=f"CA{user.pk}", payer=top_up.account, group_id=group.pk, user_id=user.pk)
        tell("charge.dispute.created", stripe_double.disputed(top_up.payment))
        replace_default(user=user, source="pm_card_authenticationRequired")
        pay(user)
        replace_default(user=user, source="tok_visa")
        user.refresh_from_db()

    return give


def default(user):
    return Card.objects.get(user=user, is_default=True).pk


FLOWS = {
    "a card is replaced": lambda it: it.post("updateCreditCard", userId=it.user.pk, sourceId="tok_amex"),
    "a card is put on file": lambda it: it.post(
        "attachSourceToCustomer", userStripeId=it.user.stripe_id, sourceId="tok_amex"
    ),
    "the bank sends a new card": lambda it: it.tell(
        "payment_method.updated", {**it.double.methods[default(it.user)], "card": NEW_CARD}
    ),
    "the card is taken off": lambda it: it.tell(
        "payment_method.detached", {**it.double.methods[default(it.user)], "customer": None}
    ),
    "the card is gone": lambda it: (
        it.double.detach(default(it.user)),
        it.post("retrieveCustomerDefaultSource", userStripeId=it.user.stripe_id),
    ),
    "the customer is gone": lambda it: it.tell("customer.deleted", {"id": it.user.stripe_id, "object": "customer"}),
    "a payment": lambda it: it.pay(it.user, 5),
    "a payment that is refused": lambda it: (
        replace_default(user=it.user, source="tok_chargeCustomerFail"),
        it.pay(it.user, 5),
    ),
    "a payment without an answer": lambda it: (
        it.double.fail_next(None, None, Fault.DROP, Fault.DROP),
        it.pay(it.user, 5),
    ),
    "a refund": lambda it: (it.pay(it.user, 5), refund(top_up=it.top_up, amount_cents=200, key="another")),
    "a refund that is told": lambda it: it.tell("refund.created", it.double.refunded(it.top_up.payment, 200)),
    "a refund that names the other's request": lambda it: it.tell(
        "refund.created", it.double.refunded(it.top_up.payment, 200, metadata={"request": f"waits {it.other.pk}"})
    ),
    "a dispute that ends": lambda it: it.tell(
        "charge.dispute.closed", it.double.dispute_ends(Dispute.objects.get(account=it.top_up.account).pk, "lost")
    ),
    "a balance that is set": lambda it: it.api.put(f"/api/users/{it.user.pk}/accountBalance", {"accountBalance": 50}),
    "the end of the person": lambda it: it.api.delete(f"/api/users/{it.user.pk}"),
}
NEW_CARD = {"brand": "visa", "last4": "1881", "exp_month": 1, "exp_year": 2040}


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
def test_it_is_ones_own(with_everything, api, pay, tell, stripe_double, alice, flow):
    zoe = person("Zoe")
    for user in (alice, zoe):
        with_everything(user)
    under_way = {"customer": zoe.stripe_id, "amount_cents": 700, "in_flight_until": timezone.now() + IN_FLIGHT}
    TopUp.objects.create(account=account_of(zoe), **under_way)

    class It:
        user, other, double = alice, zoe, stripe_double
        top_up = TopUp.objects.get(account__user=alice, status="succeeded")

        def post(self, route, **fields):
            return self.api.post(f"/api/billing/{route}", fields)

    it = It()
    it.api, it.tell, it.pay = api, tell, pay
    mine, hers = rows_of(alice), rows_of(zoe)
    flow(it)
    assert rows_of(zoe) == hers
    if User.objects.filter(pk=alice.pk).exists():
        assert rows_of(alice) != mine


def test_an_inquiry_beside_anothers_dispute_stops_no_calls(with_everything, pay, tell, stripe_double, alice):
    with_everything(person("Zoe"))
    replace_default(user=alice, source="tok_visa")
    pay(alice)
    payment = TopUp.objects.get(account__user=alice).payment
    tell("charge.dispute.created", stripe_double.disputed(payment, status="warning_needs_response"))
    assert not Dispute.objects.filter(account__user=alice).exists()


def test_what_reconciliation_puts_right_of_one_leaves_the_other_alone(with_everything, stripe_double, send, alice):
    zoe = person("Zoe")
    for user in (alice, zoe):
        with_everything(user)
    RefundRequest.objects.filter(status="pending").delete()
    stripe_double.refunded(TopUp.objects.get(account__user=alice, status="succeeded").payment, 300)
    Dispute.objects.filter(account__user=zoe).update(try_at=timezone.now() + timedelta(days=1))  # looked at of late
    hers = rows_of(zoe)
    call_command("reconcile_payments")
    assert rows_of(zoe) == hers
    assert LedgerEntry.objects.filter(account__user=alice, kind="refund").count() == 2
    send(event("refund.created", next(iter(stripe_double.refunds.values()))))
    assert rows_of(zoe) == hers
