"""Stripe's side: webhooks, truly signed, and payments that people made."""

from datetime import UTC, datetime

import pytest

from billing.cards import replace_default
from billing.ledger import account_of
from billing.models import LedgerEntry, TopUp
from tests.doubles.stripe import event, signature
from tests.neighbours import ours

PATH = "/api/billing/stripeWebhook"


@pytest.fixture
def send(stripe_payments, api, db):
    """Posts a webhook body as Stripe signs it."""

    def send(body, header=None):
        header = signature(body) if header is None else header
        return api.generic("POST", PATH, body, content_type="application/json", headers={"Stripe-Signature": header})

    return send


@pytest.fixture
def tell(send):
    """Stripe tells what became of a thing, as it is at that moment."""

    def tell(kind, thing, status=204):
        assert send(event(kind, thing)).status_code == status

    return tell


@pytest.fixture
def paid(stripe_payments, api, alice):
    """Alice added $20 by card; the payment's id."""
    replace_default(user=alice, source="tok_visa")
    api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    return ours(TopUp).get().payment


@pytest.fixture
def balance(api, alice):
    return lambda: api.get(f"/api/users/{alice.pk}").json()["accountBalance"]


@pytest.fixture
def entries(db):
    """The ledger's kinds and amounts in cents, in the order in which they were posted."""

    def entries():
        rows = ours(LedgerEntry).order_by("id").values_list("kind", "amount_micros")
        return [(kind, micros // 10_000) for kind, micros in rows]

    return entries


@pytest.fixture
def post(alice):
    """Posts an entry at a time of 2026-11: day, hour and minute."""

    def post(micros=-20_600, memo="Call of 2 min in Family", *, user=alice, at=(1, 0, 0), kind="call", group_id=None):
        account, number = account_of(user), ours(LedgerEntry).count()
        return LedgerEntry.objects.create(
            account=account,
            kind=kind,
            amount_micros=micros,
            balance_after_micros=account.balance_micros() + micros,
            reference=f"twilio:CA{number}",
            memo=memo,
            group_id=group_id,
            created_at=datetime(2026, 11, *at, tzinfo=UTC),
        )

    return post


@pytest.fixture
def days(post):
    """Entries at the beginning of the first, in the middle of the second and at the end of the third of November."""
    return [post(memo=memo, at=at) for memo, at in (("1", (1, 0, 0)), ("2", (2, 12, 0)), ("3", (3, 23, 59)))]
